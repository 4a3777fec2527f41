import type { SpiffeId } from '../spiffe/id.js';

declare const proof: unique symbol;

/**
 * The peer of a TLS connection whose X.509-SVID was verified against the trust domain's own bundle **for this very call**.
 * Proof as a value: only `verifyPeer` makes one.
 */
export interface VerifiedPeer {
  readonly [proof]: true;
  readonly id: SpiffeId;
  /** Serial number of the leaf, lower-case hexadecimal without leading zeros. */
  readonly serial: string;
  /** Milliseconds since the Unix epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
}
