import { InvalidArgumentError } from 'commander';

/** The value of an option that counts something, at least one of it. */
export function wholeNumber(given: string): number {
  const value = Number(given);
  if (!/^\d+$/.test(given) || value < 1 || value > 2 ** 31 - 1) {
    throw new InvalidArgumentError('Give a whole number, at least 1.');
  }
  return value;
}

/** The value of an option that counts something, also none of it. */
export function countOrNone(given: string): number {
  return given === '0' ? 0 : wholeNumber(given);
}
