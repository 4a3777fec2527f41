import { InvalidArgumentError } from 'commander';
import { parseInstant } from '../base/instant.js';

/** The value of an option that is a date or an instant, in milliseconds since the Unix epoch. */
export function instantMs(given: string): number {
  const instant = parseInstant(given);
  if (!instant) throw new InvalidArgumentError('Write a date, or an instant such as 2027-01-31T18:00:00Z.');
  return instant.ms;
}
