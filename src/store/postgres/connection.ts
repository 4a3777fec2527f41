import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { fault, isFault } from '../../base/faults/fault.js';
import type { Connection } from '../connection.js';
import { migrate } from '../migrate.js';
import type { Outcome } from '../outcome.js';
import { integerOf, textOf } from '../unit.js';
import { startUnit, type UnitCall } from '../units.js';
import { drive, runGroup, type Sessions, undoneIfItFails } from './group.js';
import { databaseFault } from './postgres-fault.js';
import { openSession, type Session } from './session.js';
import { type DatabaseSource, type Environment, readTarget } from './target.js';

export interface PostgresStart {
  readonly source: DatabaseSource;
  readonly env: Environment;
  readonly trustDomain: string;
}

const maxGroup = 256;

/** Connects, and brings the database to this program's schema. Throws STO0104, STO0105, STO03xx, STO04xx. */
export async function openPostgres({ source, env, trustDomain }: PostgresStart): Promise<Connection> {
  const { place } = readTarget(source, env);
  const sessions = keepSession(place, () => openSession(readTarget(source, env)));
  try {
    const session = await sessions.current();
    await checkServer(session, place);
    await migrateOnce(session, { trustDomain, epoch: randomUUID(), path: place });
  } catch (error) {
    await sessions.close();
    throw databaseFault(error, place);
  }
  return queue(sessions);
}

function keepSession(place: string, open: () => Promise<Session>) {
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
  if (version < oldest) {
    throw fault('STO0309', {
      place,
      problem: `it is PostgreSQL ${version}`,
      wanted: `PostgreSQL ${oldest} or later`,
    });
  }
  if (encoding !== 'UTF8') {
    throw fault('STO0309', { place, problem: `its encoding is ${encoding}`, wanted: 'the encoding UTF8' });
  }
}

/** A number that nobody else takes by chance: `plas` and `tron` in ASCII. */
const migrationLock = `${0x706c6173}, ${0x74726f6e}`;

/** Servers that start at once do it one after another; the later ones find nothing to do. */
async function migrateOnce(session: Session, belonging: Parameters<typeof migrate>[0]): Promise<void> {
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

interface Waiting {
  readonly call: UnitCall;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** Units that wait while others are carried out are the next group. */
function queue(sessions: Sessions & { close(): Promise<void> }): Connection {
  const waiting: Waiting[] = [];
  let isClosed = false;
  let working: Promise<void> | undefined;
  const work = async () => {
    while (waiting.length > 0) {
      const group = waiting.splice(0, maxGroup);
      const outcomes = await runGroup(
        sessions,
        group.map(
          ({ call }) =>
            () =>
              startUnit(call),
        ),
      );
      // Whoever waited meanwhile would wait as long again for a database that does not answer.
      if (outcomes.every(isUnanswered))
        settle(waiting.splice(0), (index) => outcomes[index % outcomes.length]);
      settle(group, (index) => outcomes[index]);
    }
    working = undefined;
  };
  return {
    run: (name, ...args) =>
      new Promise((resolve, reject) => {
        if (isClosed) return reject(fault('STO0204', { path: sessions.place }));
        // A unit of this name gives back what is promised for it.
        waiting.push({ call: { name, args }, resolve: resolve as (value: unknown) => void, reject });
        working ??= work();
      }),
    close: async () => {
      isClosed = true;
      await working;
      await sessions.close();
    },
  };
}

const isUnanswered = (outcome: Outcome) => !outcome.ok && isFault(outcome.error, 'STO0401');

function settle(calls: readonly Waiting[], outcomeOf: (index: number) => Outcome | undefined): void {
  for (const [index, { resolve, reject }] of calls.entries()) {
    const outcome = outcomeOf(index);
    if (outcome?.ok) resolve(outcome.value);
    else reject(outcome?.error);
  }
}
