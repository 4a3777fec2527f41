import assert from 'node:assert/strict';

/** What one write is to change: by key, the new value, or `undefined` for what it removes. */
export type Changes = ReadonlyMap<string, string | undefined>;

/** What somebody who writes to a server knows to be there. */
export interface Ledger {
  /** Values of which the server said that they are written. */
  readonly known: ReadonlyMap<string, string>;
  /** How many writes were acknowledged, and how many of the others were found done and not done. */
  readonly counts: { acknowledged: number; done: number; undone: number };
  /** Makes a write and remembers what became of it: acknowledged when `call` resolves, in doubt when it rejects. */
  write(changes: Changes, call: () => Promise<unknown>): Promise<void>;
  /**
   * Holds what there is against what must be there: everything acknowledged, nothing else, and of a write in doubt all or
   * nothing. From then on nothing is in doubt.
   */
  check(found: ReadonlyMap<string, string>): void;
}

/** Writers must not share keys: each waits for its own write before the next one. */
export function createLedger(): Ledger {
  const known = new Map<string, string>();
  const doubts: Changes[] = [];
  const counts = { acknowledged: 0, done: 0, undone: 0 };
  const settle = (changes: Changes) => {
    for (const [key, value] of changes) {
      if (value === undefined) known.delete(key);
      else known.set(key, value);
    }
  };
  return {
    known,
    counts,
    async write(changes, call) {
      try {
        await call();
      } catch (error) {
        doubts.push(changes);
        throw error;
      }
      counts.acknowledged++;
      settle(changes);
    },
    check(found) {
      for (const changes of doubts.splice(0)) {
        const isDone = [...changes].every(([key, value]) => found.get(key) === value);
        counts[isDone ? 'done' : 'undone']++;
        if (isDone) settle(changes);
      }
      assert.deepEqual(sorted(found), sorted(known));
    },
  };
}

const sorted = (map: ReadonlyMap<string, string>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
