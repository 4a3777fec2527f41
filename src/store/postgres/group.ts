import { setTimeout as sleep } from 'node:timers/promises';
import { fault } from '../../base/faults/fault.js';
import type { Outcome } from '../outcome.js';
import { schema } from '../schema.js';
import { integerOf, type Row, textOf, type Work } from '../unit.js';
import { ConnectionLost, databaseFault, isPassing, sqlState } from './postgres-fault.js';
import type { Session } from './session.js';

/** The session to the database, made anew whenever it was lost. */
export interface Sessions {
  /** Throws STO03xx, STO04xx. */
  current(): Promise<Session>;
  readonly place: string;
}

/** Starts a unit; again whenever it has to be done again. */
export type MakeWork = () => Work<unknown>;

/** Milliseconds for which a group is tried again: a database that restarts is waited for, one that is gone is told. */
const patience = 5000;

/**
 * Runs units in one transaction. Those that write hold the row that gives out positions: writers go one after another, on
 * whichever server they are, as in libsql, and every unit sees everything that was committed before. Those that only read see
 * one moment, and nobody waits for them. A unit that fails is undone alone: the group is taken back, and its units are done
 * one by one.
 */
export async function runGroup(
  sessions: Sessions,
  works: readonly MakeWork[],
  isReading: boolean,
): Promise<Outcome[]> {
  try {
    const values = await committed(sessions, isReading ? readAll : writeAll, works);
    return values.map((value) => ({ ok: true, value }));
  } catch (error) {
    if (works.length === 1 || !(error instanceof UnitFailed)) {
      const told = databaseFault(error instanceof UnitFailed ? error.cause : error, sessions.place);
      return works.map(() => ({ ok: false, error: told }));
    }
  }
  const outcomes: Outcome[] = [];
  for (const work of works) outcomes.push(...(await runGroup(sessions, [work], isReading)));
  return outcomes;
}

type Attempt = (session: Session, works: readonly MakeWork[], place: string) => Promise<readonly unknown[]>;

/** Something that a unit did was refused; the cause says what. */
class UnitFailed extends Error {}

/** The connection was lost during a commit: whether it happened has to be asked. */
class InDoubt extends Error {
  readonly transaction: string;
  readonly values: readonly unknown[];
  constructor(transaction: string, values: readonly unknown[], options: { cause: unknown }) {
    super('the connection was lost during a commit', options);
    this.transaction = transaction;
    this.values = values;
  }
}

/** What the units gave, once it is on the database's disk. What may pass is tried again while the patience lasts. */
async function committed(
  sessions: Sessions,
  attempt: Attempt,
  works: readonly MakeWork[],
): Promise<readonly unknown[]> {
  const end = performance.now() + patience;
  let doubt: InDoubt | undefined;
  for (let delay = 10; ; delay = Math.min(delay * 2, 500)) {
    try {
      const session = await sessions.current();
      if (doubt && (await wasCommitted(session, doubt.transaction))) return doubt.values;
      doubt = undefined;
      return await attempt(session, works, sessions.place);
    } catch (error) {
      if (error instanceof InDoubt) doubt = error;
      if (performance.now() > end || !(error === doubt || isPassing(error))) {
        throw doubt ? fault('STO0402', { place: sessions.place }, { cause: error }) : error;
      }
      await sleep(delay * (0.5 + Math.random() / 2));
    }
  }
}

async function wasCommitted(session: Session, transaction: string): Promise<boolean> {
  const [row] = await session.all(['select pg_xact_status(?::xid8) as status', [transaction]]);
  const status = row ? textOf(row, 'status') : '';
  if (status === 'in progress') throw new ConnectionLost('the transaction before is not over yet');
  return status === 'committed';
}

async function readAll(
  session: Session,
  works: readonly MakeWork[],
  place: string,
): Promise<readonly unknown[]> {
  return undoneIfItFails(session, async () => {
    const [, rows] = await session.script(
      `begin isolation level repeatable read read only; ${schemaVersion}`,
    );
    checkVersion(rows, place);
    const values = await driveAll(session, works);
    await session.script('commit');
    return values;
  });
}

async function writeAll(
  session: Session,
  works: readonly MakeWork[],
  place: string,
): Promise<readonly unknown[]> {
  const { transaction, position, values } = await undoneIfItFails(session, async () => {
    const [, rows, [counter] = []] = await session.script(
      `begin; ${schemaVersion}; select value, pg_current_xact_id()::text as transaction
                                  from counters where name = 'position' for update`,
    );
    checkVersion(rows, place);
    if (!counter) throw new Error('the position counter is missing');
    return {
      transaction: textOf(counter, 'transaction'),
      position: integerOf(counter, 'value'),
      values: await driveAll(session, works),
    };
  });
  try {
    await session.script(
      `select pg_notify('${channel}', '') from counters where name = 'position' and value > ${position}; commit`,
    );
    return values;
  } catch (error) {
    const state = sqlState(error);
    if (state === undefined || state.startsWith('57'))
      throw new InDoubt(transaction, values, { cause: error });
    throw error;
  }
}

/** Tells whoever listens that there are new events. */
export const channel = 'plastron_events';

const schemaVersion = 'select max(version) as version from migrations';

/** A newer server may have changed the tables meanwhile; what this one writes could be wrong in them. Throws STO0105. */
function checkVersion([row]: readonly Row[] = [], path: string): void {
  const version = row ? integerOf(row, 'version') : 0;
  if (version > schema.length) throw fault('STO0105', { path, version, known: schema.length });
}

async function driveAll(session: Session, works: readonly MakeWork[]): Promise<unknown[]> {
  const values: unknown[] = [];
  for (const work of works) {
    try {
      values.push(await drive(session, work()));
    } catch (error) {
      throw isPassing(error) ? error : new UnitFailed('a unit failed', { cause: error });
    }
  }
  return values;
}

export async function drive<Result>(session: Session, work: Work<Result>): Promise<Result> {
  let step = work.next();
  while (!step.done) step = work.next(await session.all(step.value));
  return step.value;
}

/** A session whose transaction cannot be taken back is given up, and the server takes it back. */
export async function undoneIfItFails<Result>(session: Session, run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    try {
      if (session.isOpen()) await session.script('rollback');
    } catch {
      await session.close();
    }
    // A database that has become a copy of another one, which is where the name will lead next time.
    if (sqlState(error) === '25006') await session.close();
    throw error;
  }
}
