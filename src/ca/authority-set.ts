import type { JwtAuthority, X509Authority } from '../spiffe/bundle.js';
import {
  type Authority,
  type AuthorityRequest,
  createAuthority,
  type SigningAuthority,
} from './authority.js';
import { createJwtSigner, type JwtSigner } from './jwt-signer.js';
import type { KeyManager } from './key-manager.js';
import { active, begun, type Lasting, type Moment, rotated, type Signing } from './rotation.js';
import { askKeyManager } from './signing-key.js';

/** The authorities of a trust domain, of each kind the oldest first. One value and one file: they change together. */
export interface AuthoritySet {
  readonly x509: readonly Authority[];
  readonly jwt: readonly JwtSigner[];
}

export const noAuthorities: AuthoritySet = { x509: [], jwt: [] };

/**
 * One step towards the set of a server that starts (`begun`): with at most one new key, so that none is lost when making
 * another one fails. The same object when there is nothing left to do; a new one must be stored before it is used.
 * Throws CAS0106.
 */
export function beginAuthorities(
  set: AuthoritySet,
  keys: KeyManager,
  request: AuthorityRequest,
): Promise<AuthoritySet> {
  return oneStep(set, keys, request, (all, create) => begun(all, request.now, create));
}

/** The same towards the set as it must be at a moment (`rotated`). */
export function rotateAuthorities(
  set: AuthoritySet,
  keys: KeyManager,
  request: AuthorityRequest & Moment,
): Promise<AuthoritySet> {
  return oneStep(set, keys, request, (all, create) => rotated(all, request, request.ttlSeconds, create));
}

/** What becomes of the authorities of one kind; the same array when nothing changes. */
type Follow = <One extends Lasting>(
  all: readonly One[],
  create: () => Promise<One>,
) => Promise<readonly One[]>;

async function oneStep(
  set: AuthoritySet,
  keys: KeyManager,
  request: AuthorityRequest,
  follow: Follow,
): Promise<AuthoritySet> {
  const newKey = () => askKeyManager(() => keys.generate());
  const x509 = await follow(set.x509, async () => createAuthority(request, await newKey()));
  if (x509 !== set.x509) return { ...set, x509 };
  const jwt = await follow(set.jwt, async () => createJwtSigner(request, await newKey()));
  return jwt === set.jwt ? set : { ...set, jwt };
}

/** The authority that signs X.509-SVIDs at `now`. Throws CAS0104 when none can. */
export const activeAuthority = (set: AuthoritySet, now: number): SigningAuthority => active(set.x509, now);

/** The authority that signs JWT-SVIDs at `now`. Throws CAS0104 when none can. */
export const activeJwtSigner = (set: AuthoritySet, now: number): Signing<JwtSigner> => active(set.jwt, now);

/** What the trust bundle has of the set: all of it. */
export function x509AuthoritiesOf({ x509 }: Pick<AuthoritySet, 'x509'>): X509Authority[] {
  return x509.map(({ certificate }) => ({ der: certificate, tainted: false }));
}

export function jwtAuthoritiesOf({ jwt }: AuthoritySet): JwtAuthority[] {
  return jwt.map(({ keyId, publicKey, notAfter }) => ({
    keyId,
    publicKey,
    expiresAt: notAfter / 1000,
    tainted: false,
  }));
}
