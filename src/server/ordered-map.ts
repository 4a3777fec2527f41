/** A map that can be read in the order of its keys, from any key on. */
export interface OrderedMap<Value> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
  delete(key: string): boolean;
  values(): Iterable<Value>;
  /** The values whose keys come after `key`, which need not be there, in the order of their keys (by UTF-16 code units). */
  after(key: string): Iterable<Value>;
}

/** Sorts when it is read, once for all reads until the next key comes or goes. */
export function orderedMap<Value>(entries: Iterable<readonly [string, Value]> = []): OrderedMap<Value> {
  const map = new Map<string, Value>(entries);
  let sorted: readonly string[] | undefined;
  return {
    get: (key) => map.get(key),
    set: (key, value) => {
      if (!map.has(key)) sorted = undefined;
      map.set(key, value);
    },
    delete: (key) => {
      const deleted = map.delete(key);
      if (deleted) sorted = undefined;
      return deleted;
    },
    values: () => map.values(),
    *after(key) {
      sorted ??= [...map.keys()].sort();
      const keys = sorted;
      for (let index = firstAfter(keys, key); index < keys.length; index++) {
        const value = map.get(keys[index] ?? '');
        if (value !== undefined) yield value;
      }
    },
  };
}

function firstAfter(sorted: readonly string[], key: string): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? '') <= key) low = middle + 1;
    else high = middle;
  }
  return low;
}
