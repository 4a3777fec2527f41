import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { type JWTPayload, SignJWT } from 'jose';
import { isFault } from '../../src/base/faults/fault.js';
import type { FaultCode } from '../../src/base/faults/table.js';
import type { Bundle, JwtAuthority } from '../../src/spiffe/bundle.js';
import { parseTrustDomain } from '../../src/spiffe/id.js';
import { verifyJwtSvid } from '../../src/spiffe/verify-jwt-svid.js';

export const shop = parseTrustDomain('shop.example');
export const other = parseTrustDomain('other.example');
export const web = 'spiffe://shop.example/web';
export const audience = 'spiffe://shop.example/orders';
export const now = Date.UTC(2026, 5, 1, 12);
export const seconds = now / 1000;

/** Keys, tokens and bundles of another implementation (jose) for the tests of JWT-SVIDs: good ones, and wrong ones of every kind. */
export type Pair = { publicKey: KeyObject; privateKey: KeyObject };
export const curve = (namedCurve: string): Pair => generateKeyPairSync('ec', { namedCurve });
export const rsa: Pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
export const pairs = { p256: curve('P-256'), p384: curve('P-384'), p521: curve('P-521'), rsa } as const;
export const keyOfAlgorithm: Record<string, keyof typeof pairs> = {
  ...{ RS256: 'rsa', RS384: 'rsa', RS512: 'rsa', PS256: 'rsa', PS384: 'rsa', PS512: 'rsa' },
  ...{ ES256: 'p256', ES384: 'p384', ES512: 'p521' },
};

export const authority = (keyId: string, { publicKey }: Pair, expiresAt = 0): JwtAuthority => ({
  keyId,
  publicKey: publicKey.export({ format: 'der', type: 'spki' }),
  expiresAt,
  tainted: false,
});
export const bundleOf = (trustDomain: typeof shop, ...jwtAuthorities: JwtAuthority[]): Bundle => ({
  trustDomain,
  x509Authorities: [],
  jwtAuthorities,
  sequence: 1n,
  refreshHint: 0,
});
export const sourceOf = (...bundles: Bundle[]) => ({
  bundle: (asked: string) => bundles.find(({ trustDomain }) => trustDomain === asked),
});
export const all = Object.entries(pairs).map(([name, pair]) => authority(name, pair));
export const bundles = sourceOf(bundleOf(shop, ...all));

export const goodClaims = { sub: web, aud: [audience], exp: seconds + 300, iat: seconds };
export const goodHeader = { alg: 'ES256', kid: 'p256', typ: 'JWT' };

/** A token by another implementation, whatever its header and claims say. */
export async function tokenOf(claims: object, header: object = goodHeader, pair?: Pair): Promise<string> {
  const { alg = 'ES256' } = header as { alg?: string };
  const { privateKey } = pair ?? pairs[keyOfAlgorithm[alg] ?? 'p256'];
  return new SignJWT(claims as JWTPayload).setProtectedHeader({ alg, ...header }).sign(privateKey);
}

/** A token with any text for its header and payload, signed with ES256 as if nothing were wrong with it. */
export function rawToken(header: string, payload: string): string {
  const signed = `${base64(header)}.${base64(payload)}`;
  const signature = sign('sha256', Buffer.from(signed), {
    key: pairs.p256.privateKey,
    dsaEncoding: 'ieee-p1363',
  });
  return `${signed}.${signature.toString('base64url')}`;
}

export const base64 = (text: string | Uint8Array) => Buffer.from(text).toString('base64url');
/** As somebody does who goes by `audience`. */
export const verify = (token: string, at = now, from = bundles) => verifyJwtSvid(token, audience, from, at);
export const refuses = (code: FaultCode, token: string, at = now, from = bundles) =>
  assert.throws(
    () => verify(token, at, from),
    (error) => isFault(error, code) || assert.fail(`not ${code} but ${error}: ${token}`),
  );
