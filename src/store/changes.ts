import type { StoreChanges, StoreContents, StoreEvent, StorePosition } from '../server/ports.js';
import { agentsInEvents, allAgents } from './agents.js';
import { allEntries, entriesInEvents } from './entries.js';
import { allFederatedBundles, federatedBundlesInEvents } from './federated-bundles.js';
import { unsettledSerials } from './join-tokens.js';
import { integerOf, type Row, textOf, type Work } from './unit.js';

/** What happened since a position, and how far that is. */
export type Reading =
  | { readonly kind: 'nothing' }
  | {
      readonly kind: 'changes';
      readonly at: StorePosition;
      readonly changes: StoreChanges;
      /** Whether there are more than are told at once. */
      readonly goesOn: boolean;
    }
  | { readonly kind: 'lost'; readonly at: StorePosition; readonly contents: StoreContents };

/** How many events are told at once. */
const maxEvents = 1000;

export function* storePosition(): Work<StorePosition> {
  const [row] = yield [
    `select (select value from meta where key = 'epoch') as epoch,
            (select value from counters where name = 'position') as position`,
    [],
  ];
  if (!row) throw new Error('the position counter is missing');
  return { epoch: textOf(row, 'epoch'), position: integerOf(row, 'position') };
}

/**
 * Events whose positions do not go on from `since` without a gap are not told: then they are those of another history (the
 * database was restored), or the first of them are gone already, and everything is read.
 */
export function* changesSince(since: StorePosition): Work<Reading> {
  const now = yield* storePosition();
  if (now.epoch === since.epoch && now.position === since.position) return { kind: 'nothing' };
  const first = since.position + 1;
  const rows =
    now.epoch === since.epoch
      ? yield [`select * from events where position >= ? order by position limit ${maxEvents}`, [first]]
      : [];
  const events = rows.map(eventOf);
  const isWhole = events.every(({ position }, index) => position === first + index);
  const last = events.at(-1)?.position;
  if (!isWhole || last === undefined || now.position < last) {
    return { kind: 'lost', at: now, contents: yield* allContents() };
  }
  const contents = {
    entries: yield* entriesInEvents(first, last),
    agents: yield* agentsInEvents(first, last),
    bundles: yield* federatedBundlesInEvents(first, last),
    unsettledSerials: yield* unsettledSerials(),
  };
  const at = { epoch: now.epoch, position: last };
  return { kind: 'changes', at, changes: { events, contents }, goesOn: last < now.position };
}

function* allContents(): Work<StoreContents> {
  return {
    entries: yield* allEntries(),
    agents: yield* allAgents(),
    bundles: yield* allFederatedBundles(),
    unsettledSerials: yield* unsettledSerials(),
  };
}

function eventOf(row: Row): StoreEvent {
  // Only recordEvents writes kinds.
  const kind = textOf(row, 'kind') as StoreEvent['kind'];
  return { position: integerOf(row, 'position'), kind, id: textOf(row, 'object_id') };
}
