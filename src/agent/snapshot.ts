import type { Entry } from '../registration/entry.js';
import type { Bundle } from '../spiffe/bundle.js';
import type { TrustDomain } from '../spiffe/id.js';
import type { X509Svid } from '../spiffe/x509-svid.js';

/** What the agent keeps of a registration entry: what it needs to match a workload and to notice a change. */
export type AgentEntry = Pick<
  Entry,
  'id' | 'spiffeId' | 'selectors' | 'federatesWith' | 'hint' | 'createdAt' | 'revision'
> & {
  /** A hash of all that the entry says, where the server sends one. */
  readonly version?: string;
};

/**
 * Everything that the agent can hand out at one instant, as one sync with the server left it. Replaced as a whole, never
 * changed, so that nobody sees half of a sync.
 */
export interface Snapshot {
  /** The default one first (`byPrecedence`). */
  readonly entries: readonly AgentEntry[];
  /** By entry ID. An entry whose SVID could not be had yet is missing here. */
  readonly svids: ReadonlyMap<string, X509Svid>;
  /** Of the agent's own trust domain. */
  readonly bundle: Bundle;
  readonly federated: ReadonlyMap<TrustDomain, Bundle>;
}

/** Whom the entries federate with, each once and in order. */
export function federatedDomains(entries: readonly AgentEntry[]): TrustDomain[] {
  return [...new Set(entries.flatMap(({ federatesWith }) => federatesWith))].sort();
}

/** The bundles of whom the entries federate with, as far as they are known. */
export function federatedBundles(
  entries: readonly AgentEntry[],
  { federated }: Pick<Snapshot, 'federated'>,
): Bundle[] {
  return federatedDomains(entries).flatMap((trustDomain) => federated.get(trustDomain) ?? []);
}

/**
 * The order of a workload's identities, the default one first: that is the entry whose hint says so, else the oldest; entry IDs
 * settle a tie, byte by byte.
 */
export function byPrecedence(one: AgentEntry, other: AgentEntry): number {
  return (
    Number(other.hint === defaultHint) - Number(one.hint === defaultHint) ||
    one.createdAt - other.createdAt ||
    (one.id < other.id ? -1 : Number(one.id > other.id))
  );
}

const defaultHint = 'default';
