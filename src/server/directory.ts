import type { EntriesByParent } from '../registration/authorised.js';
import type { Entry } from '../registration/entry.js';
import type { SpiffeId } from '../spiffe/id.js';
import type { AgentRecord } from './ports.js';

/** Entries and agents in memory, found by what the server looks them up by. */
export interface Directory extends EntriesByParent {
  entry(id: string): Entry | undefined;
  entries(): Iterable<Entry>;
  entriesFor(spiffeId: SpiffeId): Entry[];
  /** Replaces the entry with the same ID. */
  putEntry(entry: Entry): void;
  removeEntry(id: string): void;
  agent(id: SpiffeId): AgentRecord | undefined;
  agents(): Iterable<AgentRecord>;
  putAgent(agent: AgentRecord): void;
  removeAgent(id: SpiffeId): void;
}

export function createDirectory(entries: Iterable<Entry>, agents: Iterable<AgentRecord>): Directory {
  const byId = new Map<string, Entry>();
  const byParent = createIndex();
  const bySpiffeId = createIndex();
  const agentsById = new Map([...agents].map((agent) => [agent.id, agent]));
  const removeEntry = (id: string) => {
    const entry = byId.get(id);
    if (!entry) return;
    byId.delete(id);
    byParent.remove(entry.parentId, entry);
    bySpiffeId.remove(entry.spiffeId, entry);
  };
  const putEntry = (entry: Entry) => {
    removeEntry(entry.id);
    byId.set(entry.id, entry);
    byParent.add(entry.parentId, entry);
    bySpiffeId.add(entry.spiffeId, entry);
  };
  for (const entry of entries) putEntry(entry);
  return {
    entry: (id) => byId.get(id),
    entries: () => byId.values(),
    entriesFor: (spiffeId) => [...bySpiffeId.get(spiffeId)],
    childrenOf: byParent.get,
    putEntry,
    removeEntry,
    agent: (id) => agentsById.get(id),
    agents: () => agentsById.values(),
    putAgent: (agent) => void agentsById.set(agent.id, agent),
    removeAgent: (id) => void agentsById.delete(id),
  };
}

function createIndex() {
  const sets = new Map<SpiffeId, Set<Entry>>();
  return {
    get: (key: SpiffeId): Iterable<Entry> => sets.get(key) ?? [],
    add: (key: SpiffeId, entry: Entry) => {
      const set = sets.get(key) ?? new Set();
      sets.set(key, set.add(entry));
    },
    remove: (key: SpiffeId, entry: Entry) => {
      const set = sets.get(key);
      if (set?.delete(entry) && set.size === 0) sets.delete(key);
    },
  };
}
