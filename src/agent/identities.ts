import type { Clock } from '../base/clock.js';
import { createListeners } from '../base/listeners.js';
import { sameMembers } from '../base/same-members.js';
import type { AttestedWorkload } from '../registration/attested-workload.js';
import { isSatisfied, selectorSet } from '../registration/match.js';
import type { Bundle } from '../spiffe/bundle.js';
import type { X509Svid } from '../spiffe/x509-svid.js';
import { type AgentEntry, federatedBundles, type Snapshot } from './snapshot.js';

/** What one workload may have: its SVIDs, the default one first; the bundles, its own trust domain's first. */
export interface WorkloadIdentities {
  readonly svids: readonly X509Svid[];
  readonly bundles: readonly Bundle[];
}

/** The identities on this node, and who of the workloads may have which. */
export interface Identities {
  /** The entries that match a workload, the default one first; `unknown` before the first sync in this life. */
  entriesOf(workload: AttestedWorkload): readonly AgentEntry[] | 'unknown';
  /**
   * `unknown` before the first sync, while the default SVID is missing or expired (another one must not silently take its
   * place), and after `withdraw`. A workload that no entry matches still gets the own bundle, as from SPIRE.
   */
  identitiesOf(workload: AttestedWorkload): WorkloadIdentities | 'unknown';
  /** Replaces what is known. Listeners hear of it only if something differs. */
  publish(snapshot: Snapshot): void;
  /** The server no longer lets this agent hand anything out: everything is unknown until the next `publish`. */
  withdraw(): void;
  /** What was published last; `undefined` before the first sync and after `withdraw`. */
  current(): Snapshot | undefined;
  onChange(listener: () => void): () => void;
}

export function createIdentities(clock: Clock): Identities {
  let snapshot: Snapshot | undefined;
  let remembered = new Map<string, Kind>();
  const { onChange, tell } = createListeners();
  const replace = (next: Snapshot | undefined) => {
    const differs = !sameContent(snapshot, next);
    snapshot = next;
    remembered = new Map();
    if (differs) tell();
  };
  const kindIn = ({ entries }: Snapshot, workload: AttestedWorkload): Kind => {
    const key = kindOf(workload);
    const kind = remembered.get(key) ?? { entries: matching(entries, workload) };
    remembered.set(key, kind);
    return kind;
  };
  return {
    entriesOf: (workload) => (snapshot ? kindIn(snapshot, workload).entries : 'unknown'),
    identitiesOf(workload) {
      if (!snapshot) return 'unknown';
      const [kind, now] = [kindIn(snapshot, workload), clock.now()];
      if (kind.current && now < kind.current.until) return kind.current.identities;
      const identities = identitiesIn(snapshot, kind.entries, now);
      if (identities === 'unknown') return identities;
      const until = Math.min(...identities.svids.map(({ notAfter }) => notAfter));
      kind.current = { identities, until };
      return identities;
    },
    publish: (next) => replace(next),
    withdraw: () => replace(undefined),
    current: () => snapshot,
    onChange,
  };
}

/** What workloads with the same selectors may have: on a node with thousands of streams there are few kinds of them. */
interface Kind {
  /** Those that match. */
  readonly entries: readonly AgentEntry[];
  /** `until`: when the first of the SVIDs expires, in milliseconds since the Unix epoch. */
  current?: { readonly identities: WorkloadIdentities; readonly until: number };
}

const kinds = new WeakMap<AttestedWorkload, string>();

function kindOf(workload: AttestedWorkload): string {
  const known = kinds.get(workload);
  if (known !== undefined) return known;
  const kind = JSON.stringify([...selectorSet(workload.selectors)].sort());
  kinds.set(workload, kind);
  return kind;
}

function identitiesIn(
  snapshot: Snapshot,
  matched: readonly AgentEntry[],
  now: number,
): WorkloadIdentities | 'unknown' {
  const { svids, bundle } = snapshot;
  const good = new Map<string, X509Svid>();
  for (const [index, entry] of matched.entries()) {
    const svid = svids.get(entry.id);
    const usable = svid !== undefined && svid.notAfter > now;
    if (index === 0 && !usable) return 'unknown';
    if (usable && !good.has(svid.id)) good.set(svid.id, svid);
  }
  return { svids: [...good.values()], bundles: [bundle, ...federatedBundles(matched, snapshot)] };
}

function matching(entries: readonly AgentEntry[], { selectors }: AttestedWorkload): AgentEntry[] {
  const found = selectorSet(selectors);
  return entries.filter((entry) => isSatisfied(entry.selectors, found));
}

/** Parts that a sync left alone are the same objects, so comparing them is cheap. */
function sameContent(one: Snapshot | undefined, other: Snapshot | undefined): boolean {
  if (!one || !other) return one === other;
  return (
    one.bundle === other.bundle &&
    sameMembers(one.entries, other.entries) &&
    sameValues(one.svids, other.svids) &&
    sameValues(one.federated, other.federated)
  );
}

function sameValues<K, V>(one: ReadonlyMap<K, V>, other: ReadonlyMap<K, V>): boolean {
  return one.size === other.size && [...one].every(([key, value]) => other.get(key) === value);
}
