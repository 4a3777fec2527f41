import type { Service } from '../../transport/service.js';
import { backupBytes } from '../backup/write-backup.js';
import { guardedService } from '../guarded-service.js';
import { type ApiContext, actorOf } from './context.js';

/** Our own service beside SPIRE's: everything that the server has to keep, keys included, for its own user alone. */
export function backupService(context: ApiContext): Service {
  return guardedService('plastron.server.v1.Backup', context.authoriser, {
    CreateBackup: {
      stream: async ({ send, signal }, caller) => {
        let size = 0;
        for await (const data of backupBytes(context.backup)) {
          if (signal.aborted) return;
          await send({ data: Buffer.from(data.buffer, data.byteOffset, data.byteLength) });
          size += data.length;
        }
        context.log.info({ caller: actorOf(caller), size }, 'a backup was made');
      },
    },
  });
}
