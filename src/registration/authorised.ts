import type { SpiffeId } from '../spiffe/id.js';
import type { Entry, Selector } from './entry.js';
import { isSatisfied, type SelectorSet, selectorSet } from './match.js';

/** A node that has attested, as far as entries are concerned. */
export interface AttestedNode {
  readonly id: SpiffeId;
  readonly selectors: readonly Selector[];
}

/** Where entries are looked up by the parent that they name. */
export interface EntriesByParent {
  childrenOf(parent: SpiffeId): Iterable<Entry>;
}

/**
 * The entries that an agent may obtain SVIDs for, by entry ID: all that descend from its own ID or from a node alias that
 * it satisfies. A node alias is an entry whose parent is the server and whose selectors are a subset of the node's; it is
 * a name for a group of nodes and no workload, so it is not among the result itself. Equals SPIRE's rule.
 */
export function authorisedEntries(
  node: AttestedNode,
  serverId: SpiffeId,
  entries: EntriesByParent,
): Map<string, Entry> {
  const result = new Map<string, Entry>();
  // An entry may name its own descendant as its parent, so each ID is visited once.
  const visited = new Set<SpiffeId>([serverId]);
  const open = [node.id, ...aliasesOf(selectorSet(node.selectors), serverId, entries)];
  for (let parent = open.pop(); parent !== undefined; parent = open.pop()) {
    if (visited.has(parent)) continue;
    visited.add(parent);
    for (const entry of entries.childrenOf(parent)) {
      result.set(entry.id, entry);
      open.push(entry.spiffeId);
    }
  }
  return result;
}

function aliasesOf(found: SelectorSet, serverId: SpiffeId, entries: EntriesByParent): SpiffeId[] {
  return [...entries.childrenOf(serverId)]
    .filter((entry) => isSatisfied(entry.selectors, found))
    .map((entry) => entry.spiffeId);
}
