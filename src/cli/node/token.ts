import { Command } from 'commander';
import { idMessage } from '../../server/api/messages.js';
import { parseWorkloadId } from '../../spiffe/id.js';
import { type AdminOptions, adminSocketOption, withServer } from '../admin.js';
import type { Cli } from '../cli.js';
import { examples } from '../examples.js';
import { type OutputOptions, output, outputOption } from '../output.js';
import { instant } from '../times.js';
import { wholeSeconds } from '../whole-seconds.js';
import { agentApi } from './message.js';

interface Options extends AdminOptions, OutputOptions {
  spiffeId?: string;
  ttl: number;
}

/** `plastron node token`: a new join token, for people alone on stdout. */
export function nodeToken(cli: Cli): Command {
  return new Command()
    .requiredOption(...adminSocketOption)
    .option('--spiffe-id <id>', 'an alias for the node that uses it, for entries to name as their parent')
    .option('--ttl <seconds>', 'how long it can be used', wholeSeconds, 600)
    .addOption(outputOption())
    .addHelpText(
      'after',
      `\nThe token lets one node in, once. Give it to the agent in a file: --join-token-file.\n${examples(
        'plastron node token --spiffe-id spiffe://shop.example/node/demo > join-token',
      )}`,
    )
    .action(async (options: Options) => {
      const { spiffeId, ttl } = options;
      const alias = spiffeId === undefined ? undefined : parseWorkloadId(spiffeId);
      const agent_id = alias && idMessage(alias);
      const { value = '', expires_at } = await withServer(options, (server) =>
        server.unary(agentApi.CreateJoinToken, { ttl, ...(agent_id && { agent_id }) }),
      );
      const document = {
        kind: 'JoinToken',
        token: value,
        alias: alias ?? null,
        expiresAt: instant(expires_at),
      };
      output(cli, options.output, document, () => [value]);
    });
}
