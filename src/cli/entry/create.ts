import { Command } from 'commander';
import { checkEntry } from '../../registration/check-entry.js';
import { parseWorkloadId, trustDomainOf } from '../../spiffe/id.js';
import { type AdminOptions, adminSocketOption, refusal, withServer } from '../admin.js';
import type { Cli } from '../cli.js';
import { examples } from '../examples.js';
import { type OutputOptions, output, outputOption } from '../output.js';
import { several } from '../several.js';
import { type ContentOptions, contentOf, withContentOptions } from './content-options.js';
import { entryDocument } from './document.js';
import { draftMessage, entryApi } from './message.js';

interface Options extends AdminOptions, OutputOptions, ContentOptions {
  spiffeId: string;
  parentId: string;
  selector: string[];
  id?: string;
}

/** `plastron entry create`: one entry; for people its ID alone. */
export function entryCreate(cli: Cli): Command {
  const command = new Command()
    .requiredOption(...adminSocketOption)
    .requiredOption('--spiffe-id <id>', 'the identity that the entry gives')
    .requiredOption('--parent-id <id>', 'the agent, or the alias of nodes, that the workload runs under')
    .requiredOption(
      '--selector <type:value>',
      'what the workload must have; may be given several times',
      several,
    )
    .option('--id <id>', 'the ID of the entry itself; the server chooses one otherwise');
  return withContentOptions(command)
    .addOption(outputOption())
    .addHelpText(
      'after',
      `${examples(
        'plastron entry create --spiffe-id spiffe://shop.example/web \\',
        '    --parent-id spiffe://shop.example/node/demo --selector unix:uid:1000',
      )}\n\nFor entries that are kept in files: \`plastron entry apply\`.`,
    )
    .action(async (options: Options) => {
      const { spiffeId, parentId } = options;
      const unchecked = { spiffeId, parentId, selectors: [], ...contentOf(options), id: options.id ?? '' };
      // The server checks that it is its own trust domain.
      const draft = checkEntry(unchecked, trustDomainOf(parseWorkloadId(spiffeId)));
      const { results = [] } = await withServer(options, (server) =>
        server.unary(entryApi.BatchCreateEntry, { entries: [draftMessage(draft)] }),
      );
      const { status, entry } = results[0] ?? {};
      if (status?.code || !entry) throw refusal(status?.message ?? '');
      output(cli, options.output, entryDocument(entry), () => [entry.id ?? '']);
    });
}
