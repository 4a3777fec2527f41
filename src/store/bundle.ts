import { metaText, setMeta } from './meta.js';
import { integerOf, type Work } from './unit.js';

/** The last sequence number that was given, 0 for none. */
export function* lastBundleSequence(): Work<number> {
  const [counter] = yield ["select value from counters where name = 'bundle'", []];
  return counter ? integerOf(counter, 'value') : 0;
}

/** The sequence number for contents with this hash: the next one when it is not the hash of the last time. */
export function* bundleSequence(contentHash: string): Work<number> {
  const grow = (yield* metaText('bundle-hash')) === contentHash ? 0 : 1;
  const [counter] = yield [
    "update counters set value = value + ? where name = 'bundle' returning value",
    [grow],
  ];
  if (!counter) throw new Error('the bundle counter is missing');
  yield* setMeta('bundle-hash', contentHash);
  return integerOf(counter, 'value');
}
