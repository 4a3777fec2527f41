import { isAbove } from '../registration/authorised.js';
import type { Entry } from '../registration/entry.js';
import { isSatisfied, selectorSet } from '../registration/match.js';
import type { SpiffeId } from '../spiffe/id.js';
import type { EntryReplaced, Registry, RegistryChange } from './registry.js';

/** Which of its entries may have come, changed or gone for an agent; `any` when it can be all of them. */
export type Touched = readonly EntryReplaced[] | 'any';

/** Word for each agent about what changes for it, and for nobody else. */
export interface AuthorisedWatch {
  /** Calls `listener`, any number of times, until the returned function is called. */
  watch(agent: SpiffeId, listener: (touched: Touched) => void): () => void;
}

/**
 * Works out, once for all changes of a turn of the event loop, which of the watched agents a change can concern: from each
 * changed entry upwards to the agents that it descends from. So a change costs as much as it concerns agents, however many
 * entries and agents there are.
 *
 * An agent's entries can only differ where the parent of a changed entry descends from that agent: on the way down to an entry
 * that came or went, the first changed step has a parent that was reached before as well as after.
 */
export function watchAuthorised(registry: Registry): AuthorisedWatch {
  const watched = new Map<SpiffeId, Set<(touched: Touched) => void>>();
  let changes: RegistryChange[] = [];
  const flush = () => {
    const tell = (agent: SpiffeId, touched: Touched) => {
      for (const listener of [...(watched.get(agent) ?? [])]) listener(touched);
    };
    const seen = changes;
    changes = [];
    for (const agent of seen.flatMap(({ agents }) => agents)) tell(agent, 'any');
    const groups = byParent(seen.flatMap(({ entries }) => entries));
    for (const [parent, group] of groups) {
      if (parent === registry.serverId) {
        for (const agent of agentsOfAliases(registry, watched, group)) tell(agent, 'any');
        continue;
      }
      const touched = isWhole(registry, groups, parent, group) ? 'any' : group;
      for (const agent of agentsAbove(registry, watched, parent)) tell(agent, touched);
    }
  };
  registry.onChange((change) => {
    if (watched.size === 0) return;
    if (changes.length === 0) setImmediate(flush);
    changes.push(change);
  });
  return {
    watch(agent, listener) {
      const listeners = watched.get(agent) ?? new Set();
      watched.set(agent, listeners.add(listener));
      return () => {
        if (listeners.delete(listener) && listeners.size === 0) watched.delete(agent);
      };
    },
  };
}

/** An entry that moved counts under both of its parents. */
function byParent(entries: readonly EntryReplaced[]): Map<SpiffeId, EntryReplaced[]> {
  const groups = new Map<SpiffeId, EntryReplaced[]>();
  for (const replaced of entries) {
    for (const parent of new Set(both(replaced).map(({ parentId }) => parentId))) {
      const group = groups.get(parent);
      if (group) group.push(replaced);
      else groups.set(parent, [replaced]);
    }
  }
  return groups;
}

/** The entry as it was and as it is, as far as there is one. */
export function both({ before, after }: EntryReplaced): Entry[] {
  return [before, after].filter((entry) => entry !== undefined);
}

/** Whether more than these entries themselves may have come or gone: whole branches below them, or the parent's first children. */
function isWhole(
  registry: Registry,
  changedParents: ReadonlyMap<SpiffeId, unknown>,
  parent: SpiffeId,
  group: readonly EntryReplaced[],
): boolean {
  const isBranch = ({ spiffeId }: Entry) => changedParents.has(spiffeId) || hasMore(registry, spiffeId, 0);
  return group.flatMap(both).some(isBranch) || !hasMore(registry, parent, group.length);
}

function hasMore(registry: Registry, parent: SpiffeId, than: number): boolean {
  let count = 0;
  for (const _ of registry.childrenOf(parent)) if (++count > than) return true;
  return false;
}

function agentsAbove(
  registry: Registry,
  watched: ReadonlyMap<SpiffeId, unknown>,
  parent: SpiffeId,
): SpiffeId[] {
  const above = registry.aboveOf(parent);
  if (above.aliases.length === 0) return [...above.ids].filter((id) => watched.has(id));
  return [...watched.keys()].filter((id) => {
    const agent = registry.agent(id);
    return agent !== undefined && isAbove(agent, above);
  });
}

function agentsOfAliases(
  registry: Registry,
  watched: ReadonlyMap<SpiffeId, unknown>,
  group: readonly EntryReplaced[],
): SpiffeId[] {
  const aliases = group.flatMap(both);
  return [...watched.keys()].filter((id) => {
    const found = selectorSet(registry.agent(id)?.selectors ?? []);
    return aliases.some(({ selectors }) => isSatisfied(selectors, found));
  });
}
