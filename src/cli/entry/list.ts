import { Command } from 'commander';
import { type AdminOptions, adminSocketOption, withServer } from '../admin.js';
import type { Cli } from '../cli.js';
import { examples } from '../examples.js';
import { type OutputOptions, output, outputOption } from '../output.js';
import { during } from '../progress.js';
import { entryFields, entryTable } from './document.js';
import { entryFilterOf, type FilterOptions, withEntryFilter } from './filter.js';
import { listEntries } from './message.js';

/** `plastron entry list`: the entries that fit, all of them without a filter. */
export function entryList(cli: Cli): Command {
  return withEntryFilter(new Command().requiredOption(...adminSocketOption).addOption(outputOption()))
    .addHelpText(
      'after',
      examples(
        'plastron entry list --parent-id spiffe://shop.example/node/demo',
        'plastron entry list --selector unix:uid:1000 -o json',
      ),
    )
    .action(async (options: AdminOptions & OutputOptions & FilterOptions) => {
      const filter = entryFilterOf(options);
      const entries = await withServer(options, (server) =>
        during('listing the entries', cli, (tell) =>
          listEntries(server, filter, (count) => tell(`${count}`)),
        ),
      );
      output(cli, options.output, { kind: 'EntryList', items: entries.map(entryFields) }, () =>
        entryTable(entries, Date.now()),
      );
    });
}
