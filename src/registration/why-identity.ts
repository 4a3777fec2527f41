import { pathOf, type SpiffeId } from '../spiffe/id.js';
import { type AttestedNode, aboveOf, type EntryTree } from './authorised.js';
import type { Entry, Selector } from './entry.js';
import { isSatisfied, type SelectorSet, selectorSet } from './match.js';
import { formatSelector } from './selector.js';

/** A node as far as the question goes. */
export interface NodeFacts extends AttestedNode {
  readonly banned: boolean;
  /** Seconds since the Unix epoch. */
  readonly svidExpiresAt: number;
}

export interface IdentityQuestion {
  readonly spiffeId: SpiffeId;
  readonly serverId: SpiffeId;
  /** At least the entries that give the identity, and everything above them. */
  readonly tree: EntryTree;
  /** All nodes, or the one that is asked about. */
  readonly nodes: readonly NodeFacts[];
  /** Of the workload; absent when the question is not about a certain one. */
  readonly selectors?: readonly Selector[];
  /** Seconds since the Unix epoch. */
  readonly now: number;
}

/** How far one entry is from giving the identity. */
export interface EntryAnswer {
  readonly entry: Entry;
  /** An alias is a name for nodes, which no workload gets. */
  readonly isAlias: boolean;
  readonly expired: boolean;
  /** Selectors of the entry that the workload does not have; empty when nobody asked about one. */
  readonly lacking: readonly Selector[];
  readonly above: Above;
  /** The nodes by how near they are; the first one decides. */
  readonly nodes: readonly NodeAnswer[];
  /** How many things are in the way; 0 when the identity is issued. */
  readonly distance: number;
}

/** What the parent of an entry can mean. */
export interface Above {
  /** Aliases above the entry, which nodes get by their selectors. */
  readonly aliases: readonly Entry[];
  /** IDs above it that only agents have. */
  readonly agents: readonly SpiffeId[];
}

export interface NodeAnswer {
  readonly node: NodeFacts;
  /** The alias by which the entry reaches the node; `undefined` when it does by the node's own ID, or not at all. */
  readonly alias: Entry | undefined;
  readonly reached: boolean;
  /** For a node that is not reached: what it lacks of the alias that comes nearest; empty when there is no alias. */
  readonly lacking: readonly Selector[];
  readonly state: 'active' | 'banned' | 'expired';
}

/** Every entry that gives the identity, the nearest first. The identity is issued when the first one's distance is 0. */
export function whyIdentity(question: IdentityQuestion): EntryAnswer[] {
  const found = question.selectors && selectorSet(question.selectors);
  return [...question.tree.entriesFor(question.spiffeId)]
    .map((entry) => answerOf(entry, question, found))
    .sort((a, b) => a.distance - b.distance || a.entry.createdAt - b.entry.createdAt);
}

function answerOf(
  entry: Entry,
  { serverId, tree, nodes, now }: IdentityQuestion,
  found: SelectorSet | undefined,
): EntryAnswer {
  const { ids, aliases } = aboveOf(entry.parentId, serverId, tree);
  const isAlias = entry.parentId === serverId;
  const expired = entry.expiresAt !== 0 && entry.expiresAt <= now;
  const lacking = found ? lackingOf(entry.selectors, found) : [];
  const answers = nodes
    .map((node) => nodeAnswer(node, ids, aliases, now))
    .sort((a, b) => nodeDistance(a) - nodeDistance(b));
  const [nearest] = answers;
  const distance =
    (isAlias ? far : 0) + Number(expired) + lacking.length + (nearest ? nodeDistance(nearest) : far);
  const agents = [...ids].filter((id) => pathOf(id).startsWith('/spire/agent/'));
  return { entry, isAlias, expired, lacking, above: { aliases, agents }, nodes: answers, distance };
}

/** More than anything that can be lacking. */
const far = 1000;

function nodeAnswer(
  node: NodeFacts,
  ids: ReadonlySet<SpiffeId>,
  aliases: readonly Entry[],
  now: number,
): NodeAnswer {
  const found = selectorSet(node.selectors);
  const state = node.banned ? 'banned' : node.svidExpiresAt <= now ? 'expired' : 'active';
  if (ids.has(node.id)) return { node, alias: undefined, reached: true, lacking: [], state };
  const alias = aliases.find(({ selectors }) => isSatisfied(selectors, found));
  if (alias) return { node, alias, reached: true, lacking: [], state };
  const [nearest = []] = aliases
    .map(({ selectors }) => lackingOf(selectors, found))
    .sort((a, b) => a.length - b.length);
  return { node, alias: undefined, reached: false, lacking: nearest, state };
}

function nodeDistance({ reached, lacking, state }: NodeAnswer): number {
  return (reached ? 0 : 10 + lacking.length) + (state === 'active' ? 0 : 1);
}

function lackingOf(wanted: readonly Selector[], found: SelectorSet): Selector[] {
  return wanted.filter((selector) => !found.has(formatSelector(selector)));
}
