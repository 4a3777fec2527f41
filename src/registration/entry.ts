import type { SpiffeId, TrustDomain } from '../spiffe/id.js';

/** A fact about a workload or a node that an attestor vouches for: `{ type: 'unix', value: 'uid:1000' }`. */
export interface Selector {
  readonly type: string;
  readonly value: string;
}

/**
 * A registration entry: the workload under `parentId` whose selectors include all of `selectors` gets `spiffeId`.
 * Fields and meanings are those of SPIRE's `spire.api.types.Entry`.
 */
export interface Entry {
  readonly id: string;
  readonly spiffeId: SpiffeId;
  /** The agent, or the node alias, under which the workload runs. */
  readonly parentId: SpiffeId;
  /** Never empty. */
  readonly selectors: readonly Selector[];
  /** Seconds; 0 means the server's default. */
  readonly x509SvidTtl: number;
  readonly jwtSvidTtl: number;
  readonly dnsNames: readonly string[];
  readonly federatesWith: readonly TrustDomain[];
  readonly admin: boolean;
  readonly downstream: boolean;
  readonly hint: string;
  /** Its SVID is for SPIRE's agents to put into a store of secrets, and never for a workload that asks. */
  readonly storeSvid: boolean;
  /** SPIRE's agents fetch its X.509-SVID only when a workload asks for it. */
  readonly disableX509SvidPrefetch: boolean;
  /** Its JWT-SVIDs carry an ID of their own, `jti`. */
  readonly jwtSvidIncludeJti: boolean;
  /** Seconds since the Unix epoch; 0 means never. Enforced when issuing. */
  readonly expiresAt: number;
  /** Seconds since the Unix epoch. */
  readonly createdAt: number;
  /** Grows with every update. */
  readonly revision: number;
}

/** What an operator says of an entry; the rest is the server's. */
export type EntryContent = Omit<Entry, 'id' | 'createdAt' | 'revision'>;

/** A new entry: `id` is chosen by the server unless it is given. */
export type EntryDraft = EntryContent & { readonly id?: string };

/** The hint of the identity that a workload with several gets when it names none; without one it is the oldest entry's. */
export const defaultHint = 'default';
