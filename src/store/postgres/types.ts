/**
 * How values of PostgreSQL become ours: whole numbers (bigint columns and what is counted) and texts. Anything else is a
 * statement of ours that PostgreSQL reads otherwise than SQLite, and is refused.
 */
export const typeParsers = {
  // The one function that pg asks for in every case; its own type has an overload a format.
  getTypeParser: (oid: number) => (value: string | null) => (value === null ? null : parsed(oid, value)),
};

const wholeNumbers = new Set([20, 21, 23, 1700]);
const texts = new Set([18, 19, 25, 1042, 1043, 705]);
/** What a function returns that returns nothing. */
const nothing = 2278;

function parsed(oid: number, value: string): string | number | null {
  if (texts.has(oid)) return value;
  if (oid === nothing) return null;
  const number = Number(value);
  if (wholeNumbers.has(oid) && /^-?\d+$/.test(value) && Number.isSafeInteger(number)) return number;
  throw new Error(`a value of type ${oid} was never written`);
}
