import type { EntryTree } from '../registration/authorised.js';
import type { Entry } from '../registration/entry.js';
import type { SpiffeId } from '../spiffe/id.js';
import { orderedMap } from './ordered-map.js';
import type { AgentRecord } from './ports.js';

/** Entries and agents in memory, found by what the server looks them up by. */
export interface Directory extends EntryTree {
  entry(id: string): Entry | undefined;
  entries(): Iterable<Entry>;
  /** In the order of their IDs, from the one after `id` on. */
  entriesAfter(id: string): Iterable<Entry>;
  /** Replaces the entry with the same ID, and gives that. */
  putEntry(entry: Entry): Entry | undefined;
  /** Gives the entry that it removed. */
  removeEntry(id: string): Entry | undefined;
  /** The entries that end before `now` (seconds since the Unix epoch) and were not given before. */
  takeExpired(now: number): Entry[];
  agent(id: SpiffeId): AgentRecord | undefined;
  agents(): Iterable<AgentRecord>;
  agentsAfter(id: string): Iterable<AgentRecord>;
  putAgent(agent: AgentRecord): void;
  removeAgent(id: SpiffeId): void;
}

export function createDirectory(agents: Iterable<AgentRecord>): Directory {
  const byId = orderedMap<Entry>();
  const byParent = createIndex();
  const bySpiffeId = createIndex();
  const expiries = createExpiries();
  const agentsById = orderedMap([...agents].map((agent) => [agent.id, agent] as const));
  const removeEntry = (id: string) => {
    const entry = byId.get(id);
    if (!entry) return undefined;
    byId.delete(id);
    byParent.remove(entry.parentId, entry);
    bySpiffeId.remove(entry.spiffeId, entry);
    expiries.remove(entry);
    return entry;
  };
  const putEntry = (entry: Entry) => {
    const before = removeEntry(entry.id);
    byId.set(entry.id, entry);
    byParent.add(entry.parentId, entry);
    bySpiffeId.add(entry.spiffeId, entry);
    expiries.add(entry);
    return before;
  };
  return {
    entry: (id) => byId.get(id),
    entries: byId.values,
    entriesAfter: byId.after,
    entriesFor: bySpiffeId.get,
    childrenOf: byParent.get,
    putEntry,
    removeEntry,
    takeExpired: expiries.take,
    agent: (id) => agentsById.get(id),
    agents: agentsById.values,
    agentsAfter: agentsById.after,
    putAgent: (agent) => void agentsById.set(agent.id, agent),
    removeAgent: (id) => void agentsById.delete(id),
  };
}

/** Most keys have one entry, for which a set of its own would be the larger part of the memory. */
function createIndex() {
  const found = new Map<SpiffeId, Entry | Set<Entry>>();
  return {
    get: (key: SpiffeId): Iterable<Entry> => {
      const known = found.get(key);
      if (!known) return [];
      return known instanceof Set ? known : [known];
    },
    add: (key: SpiffeId, entry: Entry) => {
      const known = found.get(key);
      if (!known) found.set(key, entry);
      else if (known instanceof Set) known.add(entry);
      else found.set(key, new Set([known, entry]));
    },
    remove: (key: SpiffeId, entry: Entry) => {
      const known = found.get(key);
      const isLast = known instanceof Set ? known.delete(entry) && known.size === 0 : known === entry;
      if (isLast) found.delete(key);
    },
  };
}

function createExpiries() {
  const expiring = new Set<Entry>();
  let soonest = Infinity;
  return {
    add: (entry: Entry) => {
      if (entry.expiresAt === 0) return;
      expiring.add(entry);
      soonest = Math.min(soonest, entry.expiresAt);
    },
    remove: (entry: Entry) => void expiring.delete(entry),
    take: (now: number): Entry[] => {
      if (now < soonest) return [];
      const taken = [...expiring].filter(({ expiresAt }) => expiresAt <= now);
      for (const entry of taken) expiring.delete(entry);
      soonest = Infinity;
      for (const { expiresAt } of expiring) soonest = Math.min(soonest, expiresAt);
      return taken;
    },
  };
}
