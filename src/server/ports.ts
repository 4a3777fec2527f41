import type { JoinToken } from '../attestation/node/verifier.js';
import type { Entry, EntryContent, Selector } from '../registration/entry.js';
import type { IdentifiedContent } from '../registration/plan.js';
import type { Bundle } from '../spiffe/bundle.js';
import type { SpiffeId, TrustDomain } from '../spiffe/id.js';

/** An agent as the server remembers it. */
export interface AgentRecord {
  readonly id: SpiffeId;
  /** How its node attested: `join_token`. */
  readonly attestationType: string;
  /** What attestation found out about the node. */
  readonly selectors: readonly Selector[];
  readonly canReattest: boolean;
  readonly banned: boolean;
  /** Of the SVID that it showed last: lower-case hexadecimal without leading zeros. */
  readonly serial: string;
  /** Milliseconds since the Unix epoch. */
  readonly expiresAt: number;
  /** Of an SVID that it was given by renewal and has not shown yet; empty when there is none. */
  readonly nextSerial: string;
  readonly nextExpiresAt: number;
  /** What the agent says its version is; empty when it has not. */
  readonly version: string;
}

/** What becomes of an entry that is written. `similar`: another one has its SPIFFE ID, parent and selectors, or its ID. */
export type EntryOutcome =
  | { readonly kind: 'written'; readonly entry: Entry }
  | { readonly kind: 'similar'; readonly entry: Entry }
  /** It federates with a trust domain of which there is no bundle. */
  | { readonly kind: 'no bundle'; readonly trustDomain: TrustDomain }
  | { readonly kind: 'missing' };

/** What is added to the bundle of our own trust domain. */
export type AppendedAuthorities = Pick<Bundle, 'x509Authorities' | 'jwtAuthorities'>;

/** How the bundle of another trust domain is written: only if there is none, only if there is one, or in any case. */
export interface BundleWrite {
  readonly how: 'create' | 'update' | 'set';
  readonly trustDomain: TrustDomain;
  /** An update leaves what is not said as it is, otherwise it is empty. */
  readonly change: Partial<Omit<Bundle, 'trustDomain'>>;
}
export type BundleOutcome =
  | { readonly kind: 'written'; readonly bundle: Bundle }
  | { readonly kind: 'present' }
  | { readonly kind: 'missing' };

/** What becomes of entries that federate with a trust domain whose bundle is deleted; `restrict`: it is not deleted then. */
export type DeleteMode = 'restrict' | 'delete' | 'dissociate';
export type BundleDeletion =
  | {
      readonly kind: 'deleted';
      readonly deletedEntries: readonly string[];
      readonly changedEntries: readonly Entry[];
    }
  | { readonly kind: 'in use'; readonly entries: number }
  | { readonly kind: 'missing' };

/** A node that passed attestation and the SVID that was issued for it, to be recorded together. */
export interface Attestation {
  readonly agent: Pick<
    AgentRecord,
    'id' | 'attestationType' | 'selectors' | 'canReattest' | 'serial' | 'expiresAt'
  >;
  /** As it was when the attempt began: the attempt fails if somebody else redeemed it since. */
  readonly joinToken?: JoinToken;
}

export type AttestationOutcome =
  | { readonly kind: 'recorded'; readonly agent: AgentRecord; readonly alias?: Entry }
  | { readonly kind: 'banned' }
  | { readonly kind: 'redeemed' };

/** A point in the history of a store. Positions of different epochs have nothing to do with each other. */
export interface StorePosition {
  readonly epoch: string;
  readonly position: number;
}

/** Something was written or deleted. */
export interface StoreEvent {
  /** Those of one epoch have no gaps. */
  readonly position: number;
  readonly kind: 'entry' | 'agent' | 'bundle' | 'authority';
  /** Of the entry or the agent, the trust domain of the bundle, or the name of the authority. */
  readonly id: string;
}

/** What happened, in order, and what became of it. */
export interface StoreChanges {
  readonly events: readonly StoreEvent[];
  /** What the events name, as it is now; what they name and is not here is gone. */
  readonly contents: StoreContents;
}

/** What a server keeps in memory. */
export interface StoreContents {
  readonly entries: readonly Entry[];
  readonly agents: readonly AgentRecord[];
  /** Of other trust domains. */
  readonly bundles: readonly Bundle[];
  /** All of them: see `unsettledSerials`. */
  readonly unsettledSerials: readonly string[];
}

/** Somebody who wants to know what is in a store at all times. */
export interface StoreFollower {
  changes(changes: StoreChanges): void;
  /** What happened meanwhile is not known any more: this is everything that there is now. */
  reset(contents: StoreContents): void;
}

/** A copy of everything in a store at one moment. */
export interface StoreSnapshot {
  /** Version of the store's schema. */
  readonly schemaVersion: number;
  /** Bytes. */
  readonly size: number;
  /** The bytes of the copy, in order. Iterated at most once; then the copy is gone. */
  read(): AsyncIterable<Uint8Array>;
  /** For who does not read it to its end. */
  close(): Promise<void>;
}

/**
 * What the server needs of a store. A promise is kept only when what it says is on the disk; a call that fails has changed
 * nothing, except with STO0402. What promises and followers of one store say is never older than what they said before.
 * Throws STO02xx and STO04xx.
 */
export interface ServerStore {
  /** Every entry, in the order of their IDs, so many at a time that they hold nobody up. */
  entryPages(): AsyncIterable<readonly Entry[]>;
  /** One outcome each, in order. */
  createEntries(entries: readonly IdentifiedContent[]): Promise<EntryOutcome[]>;
  updateEntries(changes: readonly EntryChange[]): Promise<EntryOutcome[]>;
  /** For each ID, in order, whether there was such an entry. */
  deleteEntries(ids: readonly string[]): Promise<boolean[]>;

  agents(): Promise<AgentRecord[]>;
  attest(attestation: Attestation): Promise<AttestationOutcome>;
  /** Each gives the record as it is now, or `undefined` when there is no such agent (any more). */
  renewAgent(id: SpiffeId, next: { serial: string; expiresAt: number }): Promise<AgentRecord | undefined>;
  activateAgent(id: SpiffeId, serial: string): Promise<AgentRecord | undefined>;
  /** Only for one that is newer than the last that is known. */
  catchUpAgent(id: SpiffeId, shown: { serial: string; expiresAt: number }): Promise<AgentRecord | undefined>;
  banAgent(id: SpiffeId): Promise<AgentRecord | undefined>;
  setAgentVersion(id: SpiffeId, version: string): Promise<AgentRecord | undefined>;
  /** Deletes the agent and the alias that its join token brought; gives the ID of the latter. */
  deleteAgent(id: SpiffeId): Promise<{ deleted: boolean; aliasEntryId?: string }>;

  /** `false` when there is one with this hash already. */
  createJoinToken(token: Omit<JoinToken, 'issuedSerial'>): Promise<boolean>;
  joinToken(hash: string): Promise<JoinToken | undefined>;
  /** The SVID that was issued for a join token has arrived: the token is gone for good. */
  settleJoinToken(serial: string): Promise<void>;
  /** Serials of SVIDs that were issued for join tokens and are not known to have arrived. */
  unsettledSerials(): Promise<string[]>;

  /** The sequence number of the bundle with these contents: the next one whenever they differ from the last time. */
  bundleSequence(contentHash: string): Promise<bigint>;
  /** The last sequence number of the bundle; 0 for a store that has never had one. */
  lastBundleSequence(): Promise<bigint>;

  /** Authorities of our own trust domain that operators added to the server's own. */
  appendedAuthorities(): Promise<AppendedAuthorities>;
  /** Adds those that are not there; gives all of them. */
  appendAuthorities(added: AppendedAuthorities): Promise<AppendedAuthorities>;

  /** Of other trust domains. */
  federatedBundles(): Promise<Bundle[]>;
  /** One outcome each, in order. */
  writeFederatedBundles(writes: readonly BundleWrite[]): Promise<BundleOutcome[]>;
  deleteFederatedBundles(trustDomains: readonly TrustDomain[], mode: DeleteMode): Promise<BundleDeletion[]>;

  position(): Promise<StorePosition>;
  /**
   * Tells `follower` everything that happens after `since`, whoever does it, this server or another one on the same database,
   * until the returned function is called.
   */
  follow(since: StorePosition, follower: StoreFollower): () => Promise<void>;

  /** Resolves when something could be written just now. */
  checkWritable(): Promise<void>;

  /**
   * Everything that was acknowledged before the call is in it. `undefined` for a database that is backed up by tools of its
   * own. Rejects with STO02xx.
   */
  snapshot(): Promise<StoreSnapshot | undefined>;
  /** When the store was last restored from a backup, in milliseconds since the Unix epoch, if it ever was. */
  restoredAt(): Promise<number | undefined>;
}

export interface EntryChange {
  readonly id: string;
  readonly change: Partial<EntryContent>;
}
