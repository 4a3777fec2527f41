import { Command } from 'commander';
import { type AdminOptions, adminSocketOption, withServer } from '../admin.js';
import type { Cli } from '../cli.js';
import { type OutputOptions, output, outputOption } from '../output.js';
import { entryDocument, entryLines } from './document.js';
import { entryApi } from './message.js';

/** `plastron entry show ID`: everything about one entry. */
export function entryShow(cli: Cli): Command {
  return new Command()
    .argument('<id>', 'the ID of the entry, as `plastron entry list` shows it')
    .requiredOption(...adminSocketOption)
    .addOption(outputOption())
    .action(async (id: string, options: AdminOptions & OutputOptions) => {
      const entry = await withServer(options, (server) => server.unary(entryApi.GetEntry, { id }));
      output(cli, options.output, entryDocument(entry), () => entryLines(entry, Date.now()));
    });
}
