import { Command } from 'commander';
import { serviceDefinition } from '../wire/services.js';
import { adminSocketOption, refusal, withServer } from './admin.js';
import type { Cli } from './cli.js';

/** `plastron entry delete ID...`: deletes entries; says which, and fails when one of them was not there. */
export function entryDelete(cli: Cli): Command {
  return new Command()
    .argument('<id...>', 'IDs of entries, as `plastron entry list` shows them')
    .requiredOption(...adminSocketOption)
    .action(async (ids: string[], { adminSocket }: { adminSocket: string }) => {
      const { BatchDeleteEntry } = serviceDefinition('spire.api.server.entry.v1.Entry');
      const { results = [] } = await withServer(adminSocket, (server) =>
        server.unary(BatchDeleteEntry, { ids }),
      );
      for (const { id, status } of results) if (!status?.code) cli.voice.print(`- ${id}`);
      const failed = results.find(({ status }) => status?.code);
      if (failed) throw refusal(failed.status?.message ?? '');
    });
}
