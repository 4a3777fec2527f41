import type { ServerStore, StoreContents, StoreEvent, StorePosition } from '../../src/server/ports.js';

/** Follows a store, from now on or from another position, and writes down what it is told. */
export async function recorder(store: Pick<ServerStore, 'position' | 'follow'>, from?: StorePosition) {
  const since = from ?? (await store.position());
  const events: StoreEvent[] = [];
  const resets: StoreContents[] = [];
  const entries = new Set<string>();
  const waiting = new Set<() => void>();
  const told = () => {
    for (const check of waiting) check();
  };
  const stop = store.follow(since, {
    changes: (changes) => {
      events.push(...changes.events);
      for (const { kind, id } of changes.events) if (kind === 'entry') entries.delete(id);
      for (const { id } of changes.contents.entries) entries.add(id);
      told();
    },
    reset: (contents) => {
      resets.push(contents);
      entries.clear();
      for (const { id } of contents.entries) entries.add(id);
      told();
    },
  });
  return {
    since,
    events,
    resets,
    /** IDs, as whoever listens to nothing else knows them. */
    entries,
    stop,
    /** Resolves once `isReached` holds after something was told. */
    until: (isReached: () => boolean) =>
      new Promise<void>((resolve) => {
        const check = () => {
          if (!isReached()) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      }),
  };
}
