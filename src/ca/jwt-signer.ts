import { createHash } from 'node:crypto';
import { DerReader, tags } from '../base/der/reader.js';
import * as der from '../base/der/writer.js';
import { type AuthorityRequest, backdateMs, wholeSecondAfter } from './authority.js';
import { parsePublicKey } from './public-key.js';
import type { MissingKey, SigningKey } from './signing-key.js';

/** A signing authority for JWT-SVIDs: an ES256 key, and the time in which it signs and what it signed is verified. */
export interface JwtSigner {
  readonly key: SigningKey | MissingKey;
  /** SubjectPublicKeyInfo, DER, of the curve P-256. */
  readonly publicKey: Uint8Array;
  /** The key's own thumbprint (RFC 7638), so that no two keys ever share one. */
  readonly keyId: string;
  /** Milliseconds since the Unix epoch, whole seconds. */
  readonly notBefore: number;
  readonly notAfter: number;
}

export function createJwtSigner(
  { ttlSeconds, now }: Pick<AuthorityRequest, 'ttlSeconds' | 'now'>,
  key: SigningKey,
): JwtSigner & { readonly key: SigningKey } {
  const notBefore = wholeSecondAfter(now - backdateMs);
  const notAfter = Math.floor(now / 1000 + ttlSeconds) * 1000;
  const { publicKey } = key;
  return { key, publicKey, keyId: thumbprint(publicKey), notBefore, notAfter };
}

/** All of it but the private key: a SEQUENCE of both times and the public key. */
export function jwtSignerToDer({ publicKey, notBefore, notAfter }: JwtSigner): Uint8Array {
  return der.sequence(der.time(notBefore), der.time(notAfter), publicKey);
}

/** The inverse. Throws `MalformedDer`, CAS0201, CAS0202. */
export function jwtSignerFromDer(bytes: Uint8Array): Omit<JwtSigner, 'key'> {
  const file = new DerReader(bytes);
  const members = file.enter(tags.sequence);
  file.end();
  const [notBefore, notAfter] = [members.time(), members.time()];
  const publicKey = members.read(tags.sequence).whole;
  members.end();
  parsePublicKey(publicKey);
  return { publicKey, keyId: thumbprint(publicKey), notBefore, notAfter };
}

/** RFC 7638 §3: SHA-256 of the key's own members as JSON, in this order. */
function thumbprint(spki: Uint8Array): string {
  const coordinate = (from: number, to?: number) =>
    Buffer.from(spki).subarray(from, to).toString('base64url');
  const jwk = JSON.stringify({ crv: 'P-256', kty: 'EC', x: coordinate(-64, -32), y: coordinate(-32) });
  return createHash('sha256').update(jwk).digest('base64url');
}
