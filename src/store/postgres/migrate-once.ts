import { setTimeout as sleep } from 'node:timers/promises';
import { type Belonging, migrate } from '../migrate.js';
import { integerOf } from '../unit.js';
import { drive, undoneIfItFails } from './group.js';
import type { Session } from './session.js';

/** A number that nobody else takes by chance: `plas` and `tron` in ASCII. */
const migrationLock = `${0x706c6173}, ${0x74726f6e}`;

/** Servers that start at once do it one after another; the later ones find nothing to do. Throws what `migrate` throws. */
export async function migrateOnce(session: Session, belonging: Belonging): Promise<void> {
  for (;;) {
    const isMine = await undoneIfItFails(session, async () => {
      const [, [lock] = []] = await session.script(
        `begin; select pg_try_advisory_xact_lock(${migrationLock})::int as mine`,
      );
      if (!lock || integerOf(lock, 'mine') === 0) return false;
      await drive(session, migrate(belonging));
      return true;
    });
    await session.script(isMine ? 'commit' : 'rollback');
    if (isMine) return;
    await sleep(50);
  }
}
