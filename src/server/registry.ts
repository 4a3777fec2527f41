import type { Clock } from '../base/clock.js';
import { authorisedEntries } from '../registration/authorised.js';
import type { Entry } from '../registration/entry.js';
import { type SpiffeId, type TrustDomain, workloadId } from '../spiffe/id.js';
import { createDirectory } from './directory.js';
import type { AgentRecord, ServerStore } from './ports.js';

/**
 * Entries and agents as the server knows them: every write goes to the store first and shows here once it is acknowledged,
 * every read is answered from memory. So reading goes on when the store does not (S37).
 */
export interface Registry
  extends Pick<ServerStore, 'createEntries' | 'updateEntries' | 'deleteEntries' | 'attest'>,
    Pick<ServerStore, 'renewAgent' | 'activateAgent' | 'banAgent' | 'setAgentVersion' | 'deleteAgent'>,
    Pick<ServerStore, 'createJoinToken' | 'joinToken' | 'settleJoinToken' | 'checkWritable'> {
  readonly serverId: SpiffeId;
  entry(id: string): Entry | undefined;
  entries(): Iterable<Entry>;
  /** Those that give this identity. */
  entriesFor(spiffeId: SpiffeId): Entry[];
  agent(id: SpiffeId): AgentRecord | undefined;
  agents(): Iterable<AgentRecord>;
  /** What an agent may obtain SVIDs for, by entry ID; nothing for one that is banned or unknown. Expired entries are left out. */
  authorisedEntries(agentId: SpiffeId): ReadonlyMap<string, Entry>;
  /** Calls `listener` after entries or agents changed, until the returned function is called. */
  onChange(listener: () => void): () => void;
}

export async function openRegistry(
  store: ServerStore,
  trustDomain: TrustDomain,
  clock: Clock,
): Promise<Registry> {
  const directory = createDirectory(await store.entries(), await store.agents());
  const unsettled = new Set(await store.unsettledSerials());
  const serverId = workloadId(trustDomain, '/spire/server');
  const listeners = new Set<() => void>();
  const changed = () => {
    for (const listener of listeners) listener();
  };
  const keepAgent = (agent: AgentRecord | undefined) => {
    if (!agent) return undefined;
    directory.putAgent(agent);
    return agent;
  };
  return {
    ...entryWrites(store, directory, changed),
    serverId,
    entry: directory.entry,
    entries: directory.entries,
    entriesFor: directory.entriesFor,
    agent: directory.agent,
    agents: directory.agents,
    authorisedEntries: (agentId) => {
      const agent = directory.agent(agentId);
      if (!agent || agent.banned) return new Map();
      const now = clock.now() / 1000;
      const authorised = authorisedEntries(agent, serverId, directory);
      for (const { id, expiresAt } of authorised.values()) {
        if (expiresAt !== 0 && expiresAt <= now) authorised.delete(id);
      }
      return authorised;
    },
    attest: async (attestation) => {
      const outcome = await store.attest(attestation);
      if (outcome.kind !== 'recorded') return outcome;
      if (attestation.joinToken) unsettled.add(attestation.agent.serial);
      keepAgent(outcome.agent);
      if (outcome.alias) directory.putEntry(outcome.alias);
      changed();
      return outcome;
    },
    renewAgent: async (id, next) => keepAgent(await store.renewAgent(id, next)),
    activateAgent: async (id, serial) => keepAgent(await store.activateAgent(id, serial)),
    setAgentVersion: async (id, version) => keepAgent(await store.setAgentVersion(id, version)),
    banAgent: async (id) => {
      const agent = keepAgent(await store.banAgent(id));
      changed();
      return agent;
    },
    deleteAgent: async (id) => {
      const outcome = await store.deleteAgent(id);
      directory.removeAgent(id);
      if (outcome.aliasEntryId !== undefined) directory.removeEntry(outcome.aliasEntryId);
      changed();
      return outcome;
    },
    checkWritable: () => store.checkWritable(),
    createJoinToken: (token) => store.createJoinToken(token),
    joinToken: (hash) => store.joinToken(hash),
    settleJoinToken: async (serial) => {
      if (!unsettled.has(serial)) return;
      await store.settleJoinToken(serial);
      unsettled.delete(serial);
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function entryWrites(
  store: ServerStore,
  directory: ReturnType<typeof createDirectory>,
  changed: () => void,
): Pick<Registry, 'createEntries' | 'updateEntries' | 'deleteEntries'> {
  return {
    createEntries: async (entries) => {
      const outcomes = await store.createEntries(entries);
      for (const outcome of outcomes) if (outcome.kind === 'written') directory.putEntry(outcome.entry);
      changed();
      return outcomes;
    },
    updateEntries: async (changes) => {
      const outcomes = await store.updateEntries(changes);
      for (const outcome of outcomes) if (outcome.kind === 'written') directory.putEntry(outcome.entry);
      changed();
      return outcomes;
    },
    deleteEntries: async (ids) => {
      const deleted = await store.deleteEntries(ids);
      for (const id of ids) directory.removeEntry(id);
      changed();
      return deleted;
    },
  };
}
