import type { TrustDomain } from './id.js';

/** A root certificate of a trust domain. A tainted one still verifies, but nothing new may chain to it. */
export interface X509Authority {
  /** One DER certificate. */
  readonly der: Uint8Array;
  readonly tainted: boolean;
}

/** A public key that verifies JWT-SVIDs. */
export interface JwtAuthority {
  readonly keyId: string;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
  /** Seconds since the Unix epoch; 0 when nothing is known about it. */
  readonly expiresAt: number;
  readonly tainted: boolean;
}

/** A trust bundle: what verifies the SVIDs of one trust domain, and of no other (SPIFFE Trust Domain and Bundle §3). */
export interface Bundle {
  readonly trustDomain: TrustDomain;
  readonly x509Authorities: readonly X509Authority[];
  readonly jwtAuthorities: readonly JwtAuthority[];
  /** Changes and grows whenever the contents change. */
  readonly sequence: bigint;
  /** Seconds; 0 when there is none. */
  readonly refreshHint: number;
}
