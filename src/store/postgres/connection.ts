import { randomUUID } from 'node:crypto';
import { fault } from '../../base/faults/fault.js';
import type { Connection } from '../connection.js';
import { textOf } from '../unit.js';
import type { Sessions } from './group.js';
import { listen } from './listener.js';
import { migrateOnce } from './migrate-once.js';
import { databaseFault } from './postgres-fault.js';
import { createQueue } from './queue.js';
import { openSession, type Session } from './session.js';
import { type DatabaseSource, type Environment, readTarget } from './target.js';

export interface PostgresStart {
  readonly source: DatabaseSource;
  readonly env: Environment;
  readonly trustDomain: string;
}

/** Connects, and brings the database to this program's schema. Throws STO0104, STO0105, STO03xx, STO04xx. */
export async function openPostgres({ source, env, trustDomain }: PostgresStart): Promise<Connection> {
  const { place } = readTarget(source, env);
  // Read anew for each connection: passwords and certificates change.
  const open = () => openSession(readTarget(source, env));
  const sessions = keepSession(place, open);
  try {
    const session = await sessions.current();
    await checkServer(session, place);
    await migrateOnce(session, { trustDomain, epoch: randomUUID(), path: place });
  } catch (error) {
    await sessions.close();
    throw databaseFault(error, place);
  }
  const { run, close } = createQueue(sessions);
  const watches = new Set<() => Promise<void>>();
  return {
    run,
    watch: (look) => {
      const stop = listen(open, look);
      watches.add(stop);
      return async () => {
        watches.delete(stop);
        await stop();
      };
    },
    close: async () => {
      await Promise.all([close(), ...Array.from(watches, (stop) => stop())]);
      await sessions.close();
    },
  };
}

function keepSession(place: string, open: () => Promise<Session>): Sessions & { close(): Promise<void> } {
  let kept: Session | undefined;
  return {
    place,
    current: async () => {
      if (!kept?.isOpen()) kept = await open();
      return kept;
    },
    close: async () => {
      if (kept?.isOpen()) await kept.close();
    },
  };
}

const oldest = 13;

async function checkServer(session: Session, place: string): Promise<void> {
  const [row] = await session.all([
    `select current_setting('server_version_num') as version, current_setting('server_encoding') as encoding`,
    [],
  ]);
  const version = row ? Math.floor(Number(textOf(row, 'version')) / 10_000) : 0;
  const encoding = row ? textOf(row, 'encoding') : '';
  const unsuitable = (problem: string, wanted: string) => fault('STO0309', { place, problem, wanted });
  if (version < oldest) throw unsuitable(`it is PostgreSQL ${version}`, `PostgreSQL ${oldest} or later`);
  if (encoding !== 'UTF8')
    throw unsuitable(`its encoding is ${encoding}`, 'a database with the encoding UTF8');
}
