import { DerReader, tags } from '../base/der/reader.js';

/** What is signed of a JWT-SVID with ES256: header and claims (RFC 7515 §5.1). The header has alg, kid and typ alone. */
export function jwtToBeSigned(keyId: string, claims: Readonly<Record<string, unknown>>): string {
  return `${base64({ alg: 'ES256', kid: keyId, typ: 'JWT' })}.${base64(claims)}`;
}

/** The whole token from what `jwtToBeSigned` gave and an ECDSA signature over it in DER (RFC 3279 §2.2.3). */
export function signedJwt(toBeSigned: string, signature: Uint8Array): string {
  const file = new DerReader(signature);
  const numbers = file.enter(tags.sequence);
  const [r, s] = [numbers.unsigned(), numbers.unsigned()];
  return `${toBeSigned}.${Buffer.concat([r, s].map(inFull)).toString('base64url')}`;
}

const base64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** RFC 7518 §3.4: each number in 32 bytes. */
function inFull(number: Uint8Array): Buffer {
  const bytes = Buffer.alloc(32);
  bytes.set(number, 32 - number.length);
  return bytes;
}
