import { Command } from 'commander';
import { type AdminOptions, adminSocketOption, withServer } from '../admin.js';
import type { Cli } from '../cli.js';
import { type OutputOptions, output, outputOption } from '../output.js';
import { entryFilterOf, type FilterOptions, withEntryFilter } from './filter.js';
import { entryApi } from './message.js';

/** `plastron entry count`: how many entries fit, a bare number for people too. */
export function entryCount(cli: Cli): Command {
  return withEntryFilter(new Command().requiredOption(...adminSocketOption).addOption(outputOption())).action(
    async (options: AdminOptions & OutputOptions & FilterOptions) => {
      const filter = entryFilterOf(options);
      const { count = 0 } = await withServer(options, (server) =>
        server.unary(entryApi.CountEntries, { filter }),
      );
      output(cli, options.output, { kind: 'EntryCount', count }, () => [String(count)]);
    },
  );
}
