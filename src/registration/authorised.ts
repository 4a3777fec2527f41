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
  for (const parent of authorisedParents(node, serverId, entries)) {
    for (const entry of entries.childrenOf(parent)) result.set(entry.id, entry);
  }
  return result;
}

/** The parents of those entries. Many agents have the same ones, and each has few. */
export function authorisedParents(
  node: AttestedNode,
  serverId: SpiffeId,
  entries: EntriesByParent,
): Set<SpiffeId> {
  const parents = new Set<SpiffeId>();
  // An entry may name its own descendant as its parent, so each ID is visited once.
  const visited = new Set<SpiffeId>([serverId]);
  const open = [node.id, ...aliasesOf(selectorSet(node.selectors), serverId, entries)];
  for (let parent = open.pop(); parent !== undefined; parent = open.pop()) {
    if (visited.has(parent)) continue;
    visited.add(parent);
    for (const { spiffeId } of entries.childrenOf(parent)) {
      parents.add(parent);
      open.push(spiffeId);
    }
  }
  return parents;
}

/** Where entries are looked up by the identity that they give, too. */
export interface EntryTree extends EntriesByParent {
  entriesFor(spiffeId: SpiffeId): Iterable<Entry>;
}

/** What is above an ID in the tree of entries. */
export interface Above {
  /** The ID itself, and every ID that it descends from. */
  readonly ids: ReadonlySet<SpiffeId>;
  /** The node aliases that it descends from. */
  readonly aliases: readonly Entry[];
}

/**
 * Looks from an ID upwards. The children of an ID are authorised for the node that it descends from: `isAbove` says the same
 * as `authorisedEntries`, at the cost of one branch and not of the whole tree.
 */
export function aboveOf(id: SpiffeId, serverId: SpiffeId, tree: EntryTree): Above {
  const ids = new Set<SpiffeId>();
  const aliases: Entry[] = [];
  const open = [id];
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    if (one === serverId || ids.has(one)) continue;
    ids.add(one);
    for (const entry of tree.entriesFor(one)) {
      if (entry.parentId === serverId) aliases.push(entry);
      else open.push(entry.parentId);
    }
  }
  return { ids, aliases };
}

/** Whether what is above an ID includes the node, or an alias that the node satisfies. */
export function isAbove(node: AttestedNode, { ids, aliases }: Above): boolean {
  if (ids.has(node.id)) return true;
  if (aliases.length === 0) return false;
  const found = selectorSet(node.selectors);
  return aliases.some(({ selectors }) => isSatisfied(selectors, found));
}

function aliasesOf(found: SelectorSet, serverId: SpiffeId, entries: EntriesByParent): SpiffeId[] {
  return [...entries.childrenOf(serverId)]
    .filter((entry) => isSatisfied(entry.selectors, found))
    .map((entry) => entry.spiffeId);
}
