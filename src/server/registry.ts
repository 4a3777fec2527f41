import type { Clock } from '../base/clock.js';
import { createListeners } from '../base/listeners.js';
import {
  type Above,
  aboveOf,
  authorisedEntries,
  authorisedParents,
  type EntryTree,
  isAbove,
} from '../registration/authorised.js';
import type { Entry } from '../registration/entry.js';
import { valueSharing } from '../registration/share-values.js';
import { type SpiffeId, type TrustDomain, workloadId } from '../spiffe/id.js';
import { createDirectory, type Directory } from './directory.js';
import type { AgentRecord, EntryOutcome, ServerStore } from './ports.js';

/**
 * Entries and agents as the server knows them: every write goes to the store first and shows here once it is acknowledged,
 * every read is answered from memory. So reading goes on when the store does not (S37). What an entry gives ends with it: an
 * expired one is still listed, but nobody is authorised by it.
 */
export interface Registry
  extends Pick<ServerStore, 'createEntries' | 'updateEntries' | 'deleteEntries' | 'attest'>,
    Pick<ServerStore, 'renewAgent' | 'activateAgent' | 'catchUpAgent' | 'banAgent'>,
    Pick<ServerStore, 'setAgentVersion' | 'deleteAgent'>,
    Pick<ServerStore, 'createJoinToken' | 'joinToken' | 'settleJoinToken' | 'checkWritable'>,
    EntryTree {
  readonly serverId: SpiffeId;
  /** When the store was last restored from a backup, if it ever was: what the lost one knew since is not known here. */
  readonly restoredAt: number | undefined;
  entry(id: string): Entry | undefined;
  entries(): Iterable<Entry>;
  /** In the order of their IDs, from the one after `id` on. */
  entriesAfter(id: string): Iterable<Entry>;
  agent(id: SpiffeId): AgentRecord | undefined;
  agents(): Iterable<AgentRecord>;
  agentsAfter(id: string): Iterable<AgentRecord>;
  /** What an agent may obtain SVIDs for, by entry ID; nothing for one that is banned or unknown. */
  authorisedEntries(agentId: SpiffeId): ReadonlyMap<string, Entry>;
  /** The parents of those entries. */
  authorisedParents(agentId: SpiffeId): ReadonlySet<SpiffeId>;
  /** One of those entries, at the cost of one. */
  authorisedEntry(agentId: SpiffeId, entryId: string): Entry | undefined;
  /** What is above an ID in the tree of entries. */
  aboveOf(id: SpiffeId): Above;
  /** Looks at the clock: tells listeners about entries that have expired since. */
  expire(): void;
  /** Shows what became of entries in the store by writing something else, or by another server. */
  takeOver(written: readonly Entry[], deletedIds: readonly string[]): void;
  takeOverAgents(written: readonly AgentRecord[], deletedIds: readonly SpiffeId[]): void;
  takeOverUnsettled(serials: readonly string[]): void;
  /** Calls `listener` after entries or agents changed, until the returned function is called. */
  onChange(listener: (change: RegistryChange) => void): () => void;
}

export interface RegistryChange {
  readonly entries: readonly EntryReplaced[];
  /** Agents that attested, were banned or deleted, or show another SVID. */
  readonly agents: readonly SpiffeId[];
}

/** An entry that was created has none before; one that was deleted or has expired none after. */
export type EntryReplaced =
  | { readonly before: Entry | undefined; readonly after: Entry }
  | { readonly before: Entry; readonly after: undefined };

export async function openRegistry(
  store: ServerStore,
  trustDomain: TrustDomain,
  clock: Clock,
): Promise<Registry> {
  const share = valueSharing();
  const directory = createDirectory(await store.agents());
  for await (const page of store.entryPages()) {
    for (const entry of page) directory.putEntry(share(entry));
  }
  const unsettled = new Set(await store.unsettledSerials());
  const serverId = workloadId(trustDomain, '/spire/server');
  const restoredAt = await store.restoredAt();
  const { onChange, tell } = createListeners<[RegistryChange]>();
  const changed = (entries: readonly EntryReplaced[], ...agents: SpiffeId[]) => tell({ entries, agents });
  return {
    ...entryWrites(store, directory, changed, share),
    ...agentWrites(store, directory, changed, unsettled),
    ...authorisation(directory, serverId, clock),
    serverId,
    restoredAt,
    entry: directory.entry,
    entries: directory.entries,
    entriesAfter: directory.entriesAfter,
    agent: directory.agent,
    agents: directory.agents,
    agentsAfter: directory.agentsAfter,
    checkWritable: () => store.checkWritable(),
    createJoinToken: (token) => store.createJoinToken(token),
    joinToken: (hash) => store.joinToken(hash),
    settleJoinToken: async (serial) => {
      if (!unsettled.has(serial)) return;
      await store.settleJoinToken(serial);
      unsettled.delete(serial);
    },
    expire: () => {
      const expired = directory.takeExpired(clock.now() / 1000);
      if (expired.length > 0) changed(expired.map((before) => ({ before, after: undefined })));
    },
    onChange,
  };
}

type Changed = (entries: readonly EntryReplaced[], ...agents: SpiffeId[]) => void;

function authorisation(
  directory: Directory,
  serverId: SpiffeId,
  clock: Clock,
): Pick<
  Registry,
  'childrenOf' | 'entriesFor' | 'authorisedEntries' | 'authorisedParents' | 'authorisedEntry' | 'aboveOf'
> {
  const isLive = ({ expiresAt }: Entry) => expiresAt === 0 || expiresAt > clock.now() / 1000;
  const tree: EntryTree = {
    childrenOf: (parent) => only(directory.childrenOf(parent), isLive),
    entriesFor: (spiffeId) => only(directory.entriesFor(spiffeId), isLive),
  };
  const active = (id: SpiffeId) => {
    const agent = directory.agent(id);
    return agent && !agent.banned ? agent : undefined;
  };
  return {
    ...tree,
    authorisedEntries: (agentId) => {
      const agent = active(agentId);
      return agent ? authorisedEntries(agent, serverId, tree) : new Map();
    },
    authorisedParents: (agentId) => {
      const agent = active(agentId);
      return agent ? authorisedParents(agent, serverId, tree) : new Set();
    },
    authorisedEntry: (agentId, entryId) => {
      const [agent, entry] = [active(agentId), directory.entry(entryId)];
      if (!agent || !entry || !isLive(entry)) return undefined;
      return isAbove(agent, aboveOf(entry.parentId, serverId, tree)) ? entry : undefined;
    },
    aboveOf: (id) => aboveOf(id, serverId, tree),
  };
}

function* only<Item>(items: Iterable<Item>, isWanted: (item: Item) => boolean): Generator<Item> {
  for (const item of items) if (isWanted(item)) yield item;
}

function entryWrites(
  store: ServerStore,
  directory: Directory,
  changed: Changed,
  share: (entry: Entry) => Entry,
): Pick<Registry, 'createEntries' | 'updateEntries' | 'deleteEntries' | 'takeOver'> {
  const takeOver = (written: readonly Entry[], deletedIds: readonly string[]) =>
    changed([
      ...written.map(share).map((after) => ({ before: directory.putEntry(after), after })),
      ...deletedIds.flatMap((id) => {
        const before = directory.removeEntry(id);
        return before ? { before, after: undefined } : [];
      }),
    ]);
  const keep = (outcomes: EntryOutcome[]) => {
    takeOver(
      outcomes.flatMap((outcome) => (outcome.kind === 'written' ? [outcome.entry] : [])),
      [],
    );
    return outcomes;
  };
  return {
    createEntries: async (entries) => keep(await store.createEntries(entries)),
    updateEntries: async (changes) => keep(await store.updateEntries(changes)),
    deleteEntries: async (ids) => {
      const deleted = await store.deleteEntries(ids);
      takeOver([], ids);
      return deleted;
    },
    takeOver,
  };
}

function agentWrites(
  store: ServerStore,
  directory: Directory,
  changed: Changed,
  unsettled: Set<string>,
): Pick<
  Registry,
  | 'attest'
  | 'renewAgent'
  | 'activateAgent'
  | 'catchUpAgent'
  | 'setAgentVersion'
  | 'banAgent'
  | 'deleteAgent'
  | 'takeOverAgents'
  | 'takeOverUnsettled'
> {
  const keep = (agent: AgentRecord | undefined) => {
    if (agent) directory.putAgent(agent);
    return agent;
  };
  const keepAndTell = async (id: SpiffeId, writing: Promise<AgentRecord | undefined>) => {
    const agent = keep(await writing);
    changed([], id);
    return agent;
  };
  return {
    attest: async (attestation) => {
      const outcome = await store.attest(attestation);
      if (outcome.kind !== 'recorded') return outcome;
      const { agent, alias } = outcome;
      if (attestation.joinToken) unsettled.add(attestation.agent.serial);
      directory.putAgent(agent);
      changed(alias ? [{ before: directory.putEntry(alias), after: alias }] : [], agent.id);
      return outcome;
    },
    takeOverAgents: (written, deletedIds) => {
      for (const agent of written) directory.putAgent(agent);
      for (const id of deletedIds) directory.removeAgent(id);
      changed([], ...written.map(({ id }) => id), ...deletedIds);
    },
    takeOverUnsettled: (serials) => {
      unsettled.clear();
      for (const serial of serials) unsettled.add(serial);
    },
    renewAgent: async (id, next) => keep(await store.renewAgent(id, next)),
    activateAgent: (id, serial) => keepAndTell(id, store.activateAgent(id, serial)),
    catchUpAgent: (id, shown) => keepAndTell(id, store.catchUpAgent(id, shown)),
    setAgentVersion: async (id, version) => keep(await store.setAgentVersion(id, version)),
    banAgent: (id) => keepAndTell(id, store.banAgent(id)),
    deleteAgent: async (id) => {
      const outcome = await store.deleteAgent(id);
      directory.removeAgent(id);
      const alias = outcome.aliasEntryId;
      const before = alias === undefined ? undefined : directory.removeEntry(alias);
      changed(before ? [{ before, after: undefined }] : [], id);
      return outcome;
    },
  };
}
