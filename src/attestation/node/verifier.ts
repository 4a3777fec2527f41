import type { Selector } from '../../registration/entry.js';
import type { SpiffeId } from '../../spiffe/id.js';

/**
 * The server's half of a node attestation method: how it judges what an agent shows in AttestAgent. Another method is a file
 * with one of these, and a `NodeProver` for our own agent.
 */
export interface NodeVerifier {
  /** The name of the method, as SPIRE calls it: `join_token`. */
  readonly type: string;
  /**
   * Judges the evidence; `challenge` asks the agent something and gives its answer, any number of times. It changes nothing,
   * since the attempt may still fail. Throws ATT02xx when the evidence is no good.
   */
  verify(payload: Uint8Array, challenge: (bytes: Uint8Array) => Promise<Uint8Array>): Promise<AttestedAgent>;
}

/** What attestation found out about a node. */
export interface AttestedAgent {
  readonly id: SpiffeId;
  readonly selectors: readonly Selector[];
  /** Whether the agent can attest again by itself once its SVID has expired, as a machine with a certificate can. */
  readonly canReattest: boolean;
  /** What the attempt uses up. It goes in the same write that records the agent, or not at all. */
  readonly joinToken?: JoinToken;
}

/** A join token as the server keeps it. */
export interface JoinToken {
  /** SHA-256 of the token in hexadecimal; the token itself is stored nowhere. */
  readonly hash: string;
  /** Milliseconds since the Unix epoch. */
  readonly expiresAt: number;
  /** The alias that the agent is to have as well; empty for none. */
  readonly aliasId: SpiffeId | '';
  /** Of an SVID that was issued for it and is not known to have arrived; empty while it was never redeemed. */
  readonly issuedSerial: string;
}
