import type { SqlValue, Statement } from './unit.js';

/**
 * The only way to libsql's parameters. What passes here cannot abort the process, be cut at a NUL, be rounded, or be NULL
 * because it was forgotten, all of which libsql would do without a word. What does not pass is a bug of the caller.
 */
export function guarded([sql, args]: Statement): (string | bigint | null)[] {
  const wanted = sql.split('?').length - 1;
  if (args.length !== wanted)
    throw new TypeError(`${wanted} arguments are wanted, not ${args.length}: ${sql}`);
  return Array.from(args, (value, index) => guardedValue(value, `argument ${index + 1} of ${sql}`));
}

function guardedValue(value: SqlValue, where: string): string | bigint | null {
  if (value === null) return null;
  if (typeof value === 'string') {
    if (/[\0\p{Cs}]/u.test(value)) throw new TypeError(`NUL or half a character in ${where}`);
    return value;
  }
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new TypeError(`not a whole number: ${where}`);
    return BigInt(value);
  }
  if (typeof value === 'bigint') {
    if (BigInt.asIntN(64, value) !== value) throw new TypeError(`more than 64 bits: ${where}`);
    return value;
  }
  throw new TypeError(`a ${typeof value} cannot be bound: ${where}`);
}
