/** How many there are now of each key, and in all. */
export interface Tally<Key> {
  of(key: Key): number;
  total(): number;
  /** Counts one more, until the function that it gives is called. */
  add(key: Key): () => void;
}

/** Keeps nothing of a key that there is none of any more. */
export function tally<Key>(): Tally<Key> {
  const counts = new Map<Key, number>();
  let all = 0;
  const change = (key: Key, by: number) => {
    const count = (counts.get(key) ?? 0) + by;
    all += by;
    if (count === 0) counts.delete(key);
    else counts.set(key, count);
  };
  return {
    of: (key) => counts.get(key) ?? 0,
    total: () => all,
    add(key) {
      change(key, 1);
      let isCounted = true;
      return () => {
        if (isCounted) change(key, -1);
        isCounted = false;
      };
    },
  };
}
