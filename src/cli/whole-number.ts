import { InvalidArgumentError } from 'commander';

/** The value of an option that counts something, at least one of it. */
export const wholeNumber = wholeNumberOf('a whole number');

/** The value of an option that counts something, also none of it. */
export function countOrNone(given: string): number {
  return given === '0' ? 0 : wholeNumber(given);
}

/** `what` is what the user is asked for. */
export function wholeNumberOf(what: string): (given: string) => number {
  return (given) => {
    const value = Number(given);
    if (!/^\d+$/.test(given) || value < 1 || value > 2 ** 31 - 1) {
      throw new InvalidArgumentError(`Give ${what}, at least 1.`);
    }
    return value;
  };
}
