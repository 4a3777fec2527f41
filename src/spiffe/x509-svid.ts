import type { SpiffeId } from './id.js';

/** An X.509-SVID with its private key (X509-SVID §2). */
export interface X509Svid {
  readonly id: SpiffeId;
  /** DER certificates, the leaf first, the root left out. */
  readonly chain: readonly Uint8Array[];
  /** Unencrypted PKCS#8, DER. Never written to a disk or a log. */
  readonly privateKey: Uint8Array;
  /** Milliseconds since the Unix epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
}
