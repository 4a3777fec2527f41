import { Command } from 'commander';
import { parseWorkloadId, pathOf, trustDomainOf } from '../spiffe/id.js';
import { serviceDefinition } from '../wire/services.js';
import { adminSocketOption, withServer } from './admin.js';
import type { Cli } from './cli.js';
import { wholeSeconds } from './whole-seconds.js';

interface Options {
  adminSocket: string;
  spiffeId?: string;
  ttl: number;
}

/** `plastron node token`: a new join token, alone on stdout. */
export function nodeToken(cli: Cli): Command {
  return new Command()
    .requiredOption(...adminSocketOption)
    .option('--spiffe-id <id>', 'an alias for the node that uses it, for entries to name as their parent')
    .option('--ttl <seconds>', 'how long it can be used', wholeSeconds, 600)
    .addHelpText(
      'after',
      '\nThe token lets one node in, once. Give it to the agent in a file: --join-token-file.',
    )
    .action(async ({ adminSocket, spiffeId, ttl }: Options) => {
      const { CreateJoinToken } = serviceDefinition('spire.api.server.agent.v1.Agent');
      const alias = spiffeId === undefined ? undefined : parseWorkloadId(spiffeId);
      const agent_id = alias && { trust_domain: trustDomainOf(alias), path: pathOf(alias) };
      const { value } = await withServer(adminSocket, (server) =>
        server.unary(CreateJoinToken, { ttl, ...(agent_id && { agent_id }) }),
      );
      cli.voice.print(value);
    });
}
