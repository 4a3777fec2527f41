import { constants, type KeyObject, verify } from 'node:crypto';

/** A signature algorithm that a JWT-SVID may have (JWT-SVID §2.1, RFC 7518 §3). */
export interface JwtAlgorithm {
  readonly hash: 'sha256' | 'sha384' | 'sha512';
  readonly key: 'RSA' | 'RSA-PSS' | Curve;
}

interface Curve {
  /** As OpenSSL calls it. */
  readonly name: string;
  /** Of a signature: two numbers of equal length (RFC 7518 §3.4). */
  readonly signatureBytes: number;
}

/** All nine by the name in the header, and no other: not `none`, nothing with a shared secret. */
export const jwtAlgorithms: ReadonlyMap<string, JwtAlgorithm> = new Map([
  ['RS256', { hash: 'sha256', key: 'RSA' }],
  ['RS384', { hash: 'sha384', key: 'RSA' }],
  ['RS512', { hash: 'sha512', key: 'RSA' }],
  ['PS256', { hash: 'sha256', key: 'RSA-PSS' }],
  ['PS384', { hash: 'sha384', key: 'RSA-PSS' }],
  ['PS512', { hash: 'sha512', key: 'RSA-PSS' }],
  ['ES256', { hash: 'sha256', key: { name: 'prime256v1', signatureBytes: 64 } }],
  ['ES384', { hash: 'sha384', key: { name: 'secp384r1', signatureBytes: 96 } }],
  ['ES512', { hash: 'sha512', key: { name: 'secp521r1', signatureBytes: 132 } }],
]);

const minRsaBits = 2048;

/** Whether the algorithm is one for this key; a key of another kind never verifies with it. */
export function fits({ key: kind }: JwtAlgorithm, key: KeyObject): boolean {
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {};
  if (typeof kind === 'string') return key.asymmetricKeyType === 'rsa' && modulusLength >= minRsaBits;
  return key.asymmetricKeyType === 'ec' && namedCurve === kind.name;
}

/** Whether `signature` is of `key` over `data`. The algorithm must fit the key. */
export function isJwtSignature(
  { hash, key: kind }: JwtAlgorithm,
  key: KeyObject,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (kind === 'RSA') return verify(hash, data, { key, padding: constants.RSA_PKCS1_PADDING }, signature);
  if (kind === 'RSA-PSS') {
    const padding = {
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
    };
    return verify(hash, data, { key, ...padding }, signature);
  }
  if (signature.length !== kind.signatureBytes) return false;
  return verify(hash, data, { key, dsaEncoding: 'ieee-p1363' }, signature);
}
