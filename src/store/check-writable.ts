import { setMeta } from './meta.js';
import type { Work } from './unit.js';

/** Writes something that nobody reads. `now` in milliseconds since the Unix epoch. */
export function* checkWritable(now: number): Work<undefined> {
  yield* setMeta('checked-at', String(now));
  return undefined;
}
