import { createPublicKey, type KeyObject } from 'node:crypto';
import { fault } from '../base/faults/fault.js';
import type { Bundle, JwtAuthority } from './bundle.js';
import { trustDomainOf } from './id.js';
import { fits, isJwtSignature } from './jwt-algorithms.js';
import { type JwtSvidClaims, readJwtSvid, type UnverifiedJwtSvid } from './jwt-svid.js';
import type { BundleSource } from './source.js';

/** For clocks that differ, in milliseconds: as much as X.509-SVIDs are back-dated. */
const leewayMs = 10_000;

/**
 * Verifies a JWT-SVID as JWT-SVID §4 and §5 say, for somebody who goes by `audience`: signed by a JWT authority of the trust
 * domain of its own subject and of no other (S32), valid at `atMs`, meant for this audience. A token without key ID is good
 * when any of those keys has signed it. Throws IDN0401 to IDN0407.
 */
export function verifyJwtSvid(
  token: string,
  audience: string,
  bundles: Pick<BundleSource, 'bundle'>,
  atMs: number,
): JwtSvidClaims {
  const svid = readJwtSvid(token);
  const { claims } = svid;
  checkSignature(svid, bundles.bundle(trustDomainOf(claims.id)), atMs);
  checkTime(claims, atMs);
  if (!claims.audience.includes(audience)) throw fault('IDN0406', { id: claims.id, audience });
  return claims;
}

function checkSignature(svid: UnverifiedJwtSvid, bundle: Bundle | undefined, atMs: number): void {
  const { algorithm, keyId, claims, signed, signature } = svid;
  const untrusted = (problem: string) =>
    fault('IDN0405', { trustDomain: trustDomainOf(claims.id), id: claims.id, problem });
  if (!bundle) throw untrusted('its trust bundle is not known');
  const candidates = bundle.jwtAuthorities
    .filter((authority) => keyId === undefined || authority.keyId === keyId)
    .filter(({ expiresAt }) => expiresAt === 0 || atMs <= expiresAt * 1000 + leewayMs)
    .flatMap(keyOf)
    .filter((key) => fits(algorithm, key));
  if (candidates.length === 0) throw untrusted('none of its keys could have signed it');
  if (!candidates.some((key) => isJwtSignature(algorithm, key, signed, signature))) {
    throw untrusted('its signature is wrong');
  }
}

function checkTime({ id, expiresAt, notBefore, issuedAt }: JwtSvidClaims, atMs: number): void {
  const from = Math.max(notBefore ?? 0, issuedAt ?? 0);
  if (atMs < expiresAt + leewayMs && atMs >= from - leewayMs) return;
  const text = (ms: number) => new Date(ms).toISOString();
  throw fault('IDN0407', { id, from: text(from), until: text(expiresAt), at: text(atMs) });
}

/** Reading a key takes about as long as verifying with it. Authorities are values, so they are never another key later. */
const keys = new WeakMap<JwtAuthority, KeyObject[]>();

/** None for an authority whose key OpenSSL does not take: it verifies nothing, and the others do as before. */
function keyOf(authority: JwtAuthority): KeyObject[] {
  const known = keys.get(authority);
  if (known) return known;
  const key = readKey(authority.publicKey);
  keys.set(authority, key);
  return key;
}

function readKey(spki: Uint8Array): KeyObject[] {
  try {
    return [createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })];
  } catch {
    return [];
  }
}
