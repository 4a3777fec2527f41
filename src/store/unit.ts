/** What SQL may be given. Booleans are written as 0 and 1, everything structured as JSON. */
export type SqlValue = string | number | bigint | null;

/** A row as it comes back; whole numbers only. */
export type Row = Readonly<Record<string, string | number | null>>;

/** SQL with a `?` for each argument, the same on every store. */
export type Statement = readonly [sql: string, args: readonly SqlValue[]];

/**
 * A unit of work: statements that succeed or fail together. It yields them one by one and is given their rows, so the same
 * unit runs inside libsql's worker without waiting, and on a remote database with it. It may run again after a failure, so it
 * does nothing but yield and compute; arguments and result are plain data.
 */
export type Work<Result> = Generator<Statement, Result, readonly Row[]>;

/** A column that the schema makes TEXT NOT NULL. */
export function textOf(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw new Error(`${column} is not a text`);
  return value;
}

/** A column that the schema makes INTEGER NOT NULL. */
export function integerOf(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== 'number') throw new Error(`${column} is not a whole number`);
  return value;
}
