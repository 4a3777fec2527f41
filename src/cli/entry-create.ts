import { Command } from 'commander';
import { checkEntry } from '../registration/check-entry.js';
import { parseSelector } from '../registration/selector.js';
import { parseWorkloadId, trustDomainOf } from '../spiffe/id.js';
import { serviceDefinition } from '../wire/services.js';
import { adminSocketOption, refusal, withServer } from './admin.js';
import type { Cli } from './cli.js';
import { draftMessage } from './entry-message.js';
import { wholeSeconds } from './whole-seconds.js';

interface Options {
  adminSocket: string;
  spiffeId: string;
  parentId: string;
  selector: string[];
  x509SvidTtl?: number;
  dnsName?: string[];
  hint?: string;
  id?: string;
}

/** `plastron entry create`: one entry; its ID alone on stdout. */
export function entryCreate(cli: Cli): Command {
  return new Command()
    .requiredOption(...adminSocketOption)
    .requiredOption('--spiffe-id <id>', 'the identity that the entry gives')
    .requiredOption('--parent-id <id>', 'the agent, or the alias of nodes, that the workload runs under')
    .requiredOption(
      '--selector <type:value>',
      'what the workload must have; may be given several times',
      several,
    )
    .option('--x509-svid-ttl <seconds>', 'how long its SVIDs last', wholeSeconds)
    .option('--dns-name <name>', 'a DNS name in its certificates; may be given several times', several)
    .option('--hint <text>', 'a word that the workload can choose by when it has several identities')
    .option('--id <id>', 'the ID of the entry itself; the server chooses one otherwise')
    .action(async (options: Options) => {
      const entry = draftMessage(draftOf(options));
      const { BatchCreateEntry } = serviceDefinition('spire.api.server.entry.v1.Entry');
      const { results = [] } = await withServer(options.adminSocket, (server) =>
        server.unary(BatchCreateEntry, { entries: [entry] }),
      );
      const [result] = results;
      if (result?.status?.code) throw refusal(result.status.message ?? '');
      cli.voice.print(result?.entry?.id);
    });
}

function draftOf({
  spiffeId,
  parentId,
  selector,
  x509SvidTtl = 0,
  dnsName = [],
  hint = '',
  id = '',
}: Options) {
  const selectors = selector.map(parseSelector);
  const unchecked = { spiffeId, parentId, selectors, x509SvidTtl, dnsNames: dnsName, hint, id };
  // The server checks that it is its own trust domain.
  return checkEntry(unchecked, trustDomainOf(parseWorkloadId(spiffeId)));
}

function several(given: string, before: string[] = []): string[] {
  return [...before, given];
}
