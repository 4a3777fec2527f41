import type { StoreEvent } from '../server/ports.js';
import { integerOf, type Work } from './unit.js';

/** How many of the latest events are kept for those who follow; whoever is further behind reads everything anew. */
const keptEvents = 100_000;

/**
 * Writes that these objects changed and gives the position of each, in order. Positions come from one row, whose lock makes
 * them become visible in their order; a sequence would let a reader miss those of a transaction that ends late.
 */
export function* recordEvents(kind: StoreEvent['kind'], objectIds: readonly string[]): Work<number[]> {
  if (objectIds.length === 0) return [];
  const [counter] = yield [
    "update counters set value = value + ? where name = 'position' returning value",
    [objectIds.length],
  ];
  if (!counter) throw new Error('the position counter is missing');
  const last = integerOf(counter, 'value');
  const positions: number[] = [];
  for (const [index, objectId] of objectIds.entries()) {
    const position = last - objectIds.length + 1 + index;
    yield ['insert into events (position, kind, object_id) values (?, ?, ?)', [position, kind, objectId]];
    positions.push(position);
  }
  yield ['delete from events where position <= ?', [last - keptEvents]];
  return positions;
}
