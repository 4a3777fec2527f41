import { metaText, setMeta } from './meta.js';
import type { Work } from './unit.js';

/**
 * How far a restored store is moved on: further than the lost one can have got since the backup (a million events a second for
 * twelve days), and little enough that thousands of restores fit into a number.
 */
const leap = 2 ** 40;

/**
 * Makes a store that was restored from a backup one that nobody takes for the lost one. What the lost one may have given out
 * since is never given out again: positions, revisions of entries and sequence numbers of the bundle go on far behind it, in a
 * new epoch. Join tokens are deleted: any of them may have been redeemed since (S10). `now`: milliseconds since the Unix epoch.
 */
export function* moveForward(epoch: string, now: number): Work<undefined> {
  yield* setMeta('epoch', epoch);
  yield ["update counters set value = value + ? where name in ('position', 'bundle')", [leap]];
  // With the same contents too: the lost server may have used this hash for another number.
  yield ["delete from meta where key = 'bundle-hash'", []];
  yield ['update entries set revision = revision + ?', [leap]];
  yield ['delete from events', []];
  yield ['delete from join_tokens', []];
  yield* setMeta('restored-at', String(now));
  return undefined;
}

/** When that was done last; `undefined` for a store that was never restored. */
export function* restoredAt(): Work<number | undefined> {
  const at = yield* metaText('restored-at');
  return at === undefined ? undefined : Number(at);
}
