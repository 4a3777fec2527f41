import { Command } from 'commander';
import { type AdminOptions, adminSocketOption, withServer } from '../admin.js';
import { inBatches } from '../batches.js';
import type { Cli } from '../cli.js';
import { confirmed, yesOption } from '../confirm.js';
import { examples } from '../examples.js';
import { type OutputOptions, outputOption } from '../output.js';
import { during } from '../progress.js';
import { type Result, tellResults } from '../results.js';
import { entryApi } from './message.js';

/** `plastron entry delete ID...`: deletes entries; says which, and what hindered each that was not. */
export function entryDelete(cli: Cli): Command {
  return new Command()
    .argument('<id...>', 'IDs of entries, as `plastron entry list` shows them')
    .requiredOption(...adminSocketOption)
    .addOption(yesOption())
    .addOption(outputOption())
    .addHelpText(
      'after',
      `${examples('plastron entry delete applied-web')}\n\nExit code 1: one of them was not there.`,
    )
    .action(async (ids: string[], options: AdminOptions & OutputOptions & { yes?: true }) => {
      const question =
        ids.length === 1
          ? `delete the entry ${ids[0]}? its workloads get no new SVIDs`
          : `delete ${ids.length} entries? their workloads get no new SVIDs`;
      if (!(await confirmed(cli, options.yes, question))) return;
      const results = await withServer(options, (server) =>
        during('deleting', cli, (tell) =>
          inBatches(ids, tell, async (batch): Promise<Result[]> => {
            const { results = [] } = await server.unary(entryApi.BatchDeleteEntry, { ids: [...batch] });
            return batch.map((id, at) => ({ id, status: results[at]?.status }));
          }),
        ),
      );
      tellResults(cli, options.output, 'EntryDeletion', results, ({ id }) => `- ${id}`);
    });
}
