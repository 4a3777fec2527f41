import type { Outcome } from '../outcome.js';
import type { Work } from '../unit.js';
import type { Database } from './database.js';

/**
 * Runs units in one transaction, each in a savepoint of its own, and answers for each once all of it is on the disk: many
 * callers share one wait for the disk. A unit that fails changes nothing and leaves the others alone; when the transaction
 * itself fails, all of them do.
 */
export function runGroup(database: Database, works: readonly (() => Work<unknown>)[]): Outcome[] {
  try {
    database.exec('begin immediate');
    const outcomes = works.map((work) => runUnit(database, work));
    database.exec('commit');
    return outcomes;
  } catch (error) {
    if (database.inTransaction()) database.exec('rollback');
    return works.map(() => ({ ok: false, error }));
  }
}

function runUnit(database: Database, work: () => Work<unknown>): Outcome {
  database.exec('savepoint unit');
  try {
    const value = drive(database, work());
    database.exec('release unit');
    return { ok: true, value };
  } catch (error) {
    // After some errors (a full disk) SQLite has rolled everything back already, and what followed would commit by itself.
    if (!database.inTransaction()) throw error;
    database.exec('rollback to unit');
    database.exec('release unit');
    return { ok: false, error };
  }
}

function drive(database: Database, work: Work<unknown>): unknown {
  let step = work.next();
  while (!step.done) step = work.next(database.all(step.value));
  return step.value;
}
