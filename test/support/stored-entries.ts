import type { Entry } from '../../src/registration/entry.js';
import type { ServerStore } from '../../src/server/ports.js';

/** Every entry of a store. */
export async function storedEntries(store: Pick<ServerStore, 'entryPages'>): Promise<Entry[]> {
  const all: Entry[] = [];
  for await (const page of store.entryPages()) all.push(...page);
  return all;
}
