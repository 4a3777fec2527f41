import { Command } from 'commander';
import { fault } from '../../base/faults/fault.js';
import { checkEntry, type UncheckedEntry } from '../../registration/check-entry.js';
import { parseTrustDomain } from '../../spiffe/id.js';
import { type AdminOptions, adminSocketOption, refusal, withServer } from '../admin.js';
import type { Cli } from '../cli.js';
import { examples } from '../examples.js';
import { type OutputOptions, output, outputOption } from '../output.js';
import { several } from '../several.js';
import {
  type ContentOptions,
  contentOf,
  withContentOptions,
  withoutContentOptions,
} from './content-options.js';
import { entryDocument } from './document.js';
import { draftMessage, entryApi, entryFrom } from './message.js';

interface Options extends AdminOptions, OutputOptions, ContentOptions {}

/** `plastron entry update ID`: changes what its options say and nothing else. */
export function entryUpdate(cli: Cli): Command {
  const command = new Command()
    .argument('<id>', 'the ID of the entry, as `plastron entry list` shows it')
    .requiredOption(...adminSocketOption)
    .option('--spiffe-id <id>', 'the identity that the entry gives')
    .option('--parent-id <id>', 'the agent, or the alias of nodes, that the workload runs under')
    .option('--selector <type:value>', 'what the workload must have: these in place of all before', several);
  return withoutContentOptions(withContentOptions(command))
    .addOption(outputOption())
    .addHelpText('after', examples('plastron entry update applied-web --x509-svid-ttl 600 --no-hint'))
    .action(async (id: string, options: Options) => {
      const changes = contentOf(options);
      const fields = Object.keys(changes) as (keyof UncheckedEntry)[];
      if (fields.length === 0) throw fault('CLI0601', {});
      const updated = await withServer(options, async (server) => {
        const present = await server.unary(entryApi.GetEntry, { id });
        const trustDomain = parseTrustDomain(present.spiffe_id?.trust_domain ?? '');
        const draft = checkEntry({ ...entryFrom(present, trustDomain), ...changes }, trustDomain);
        const input_mask = Object.fromEntries(fields.map((field) => [maskOf[field], true]));
        const entries = [draftMessage(draft)];
        const { results = [] } = await server.unary(entryApi.BatchUpdateEntry, { entries, input_mask });
        const { status, entry } = results[0] ?? {};
        if (status?.code || !entry) throw refusal(status?.message ?? '');
        return entry;
      });
      output(cli, options.output, entryDocument(updated), () => [`~ ${id}: ${fields.join(', ')}`]);
    });
}

const maskOf: Readonly<Record<keyof UncheckedEntry, string>> = {
  id: 'id',
  spiffeId: 'spiffe_id',
  parentId: 'parent_id',
  selectors: 'selectors',
  x509SvidTtl: 'x509_svid_ttl',
  jwtSvidTtl: 'jwt_svid_ttl',
  dnsNames: 'dns_names',
  federatesWith: 'federates_with',
  admin: 'admin',
  downstream: 'downstream',
  hint: 'hint',
  storeSvid: 'store_svid',
  disableX509SvidPrefetch: 'additional_attributes',
  jwtSvidIncludeJti: 'additional_attributes',
  expiresAt: 'expires_at',
};
