import Libsql from 'libsql';
import { guarded } from '../bind-guard.js';
import type { Row, Statement } from '../unit.js';

/** One connection to the database file, every value through the guard. */
export interface Database {
  all(statement: Statement): readonly Row[];
  /** SQL without arguments and rows. */
  exec(sql: string): void;
  inTransaction(): boolean;
  close(): void;
}

/**
 * Opens the file for this process alone: WAL, and a commit is on the disk before it returns. The lock goes with the process,
 * however it ends. Throws what libsql throws.
 */
export function openDatabase(path: string): Database {
  const connection = new Libsql(path);
  // Not by its `pragma()`, whose statements would keep the file open, and locked, after `close()`.
  connection.exec('pragma locking_mode = exclusive');
  connection.exec('pragma journal_mode = wal');
  connection.exec('pragma synchronous = full');
  const prepared = new Map<string, Libsql.Statement<unknown[]>>();
  const prepare = (sql: string) => {
    const statement = prepared.get(sql) ?? connection.prepare<unknown[]>(sql).safeIntegers(true);
    prepared.set(sql, statement);
    return statement;
  };
  return {
    all: (statement) => prepare(statement[0]).all(guarded(statement)).map(rowOf),
    exec: (sql) => void connection.exec(sql),
    inTransaction: () => connection.inTransaction,
    close: () => void connection.close(),
  };
}

/** In place: the row was made for this call. */
function rowOf(found: unknown): Row {
  const row = found as Record<string, unknown>;
  for (const column in row) row[column] = columnValue(column, row[column]);
  return row as Row;
}

function columnValue(column: string, value: unknown): string | number | null {
  if (typeof value === 'string' || value === null) return value;
  if (typeof value === 'bigint' && BigInt(Number(value)) === value) return Number(value);
  throw new Error(`${column} holds a value that was never written: ${typeof value}`);
}
