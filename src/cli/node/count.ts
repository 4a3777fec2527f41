import { Command } from 'commander';
import { type AdminOptions, adminSocketOption, withServer } from '../admin.js';
import type { Cli } from '../cli.js';
import { type OutputOptions, output, outputOption } from '../output.js';
import { type FilterOptions, nodeFilterOf, withNodeFilter } from './filter.js';
import { agentApi } from './message.js';

/** `plastron node count`: how many nodes fit, a bare number for people too. */
export function nodeCount(cli: Cli): Command {
  return withNodeFilter(new Command().requiredOption(...adminSocketOption).addOption(outputOption())).action(
    async (options: AdminOptions & OutputOptions & FilterOptions) => {
      const filter = nodeFilterOf(options);
      const { count = 0 } = await withServer(options, (server) =>
        server.unary(agentApi.CountAgents, { filter }),
      );
      output(cli, options.output, { kind: 'NodeCount', count }, () => [String(count)]);
    },
  );
}
