import { InvalidArgumentError } from 'commander';

/** The value of an option that counts seconds. */
export function wholeSeconds(given: string): number {
  const value = Number(given);
  if (!/^\d+$/.test(given) || value < 1 || value > 2 ** 31 - 1) {
    throw new InvalidArgumentError('Give a whole number of seconds, at least 1.');
  }
  return value;
}
