import type { X509Authority } from '../spiffe/bundle.js';
import {
  type Authority,
  type AuthorityRequest,
  backdateMs,
  createAuthority,
  noAuthorityAt,
  type SigningAuthority,
} from './authority.js';
import type { KeyManager } from './key-manager.js';
import { askKeyManager } from './signing-key.js';

/**
 * The authorities of a trust domain, the oldest first. Their certificates and the time alone say which one signs, so nothing
 * about it has to be stored:
 *
 *     |------ old ------|------------- active -------------|--- old ---> ends
 *                                  half life       1/6 left
 *                                      | next: prepared    | active ...
 *
 * A prepared one is in the trust bundle before it signs anything, and an old one until it ends: no SVID outlives it
 * (SPIFFE Federation §4.1).
 */
export type AuthoritySet = readonly Authority[];

const day = 24 * 60 * 60 * 1000;
const maxPrepareAhead = 30 * day;
const maxActivateAhead = 7 * day;
const maxPublishLead = 15 * 60 * 1000;

/**
 * The set of a server that starts at `request.now`: with a new authority where none can sign, since there never was one, its
 * key is lost, or the server was away for longer than a life. Nothing is removed: it is the clock that may be wrong. The same
 * array when nothing changes; a new one must be stored before it is used. Throws CAS0106.
 */
export async function beginAuthorities(
  set: AuthoritySet,
  keys: KeyManager,
  request: AuthorityRequest,
): Promise<AuthoritySet> {
  return canSignAt(set, request.now) ? set : withNewOne(set, keys, request);
}

/**
 * The set as it must be at `now`, with a prepared authority once the newest is past half of its life. A clock that jumped
 * (`steadyMs`: for how long it has not) is not believed at once: what seems to have ended stays, and what seems to be missing
 * is not made. So a clock that goes wrong and comes back costs nothing but the time between. The same array when nothing
 * changes; a new one must be stored before it is used. Throws CAS0106.
 */
export async function rotateAuthorities(
  set: AuthoritySet,
  keys: KeyManager,
  request: Rotation,
): Promise<AuthoritySet> {
  const { now, steadyMs, ttlSeconds } = request;
  const kept = set.filter((one) => now <= one.notAfter || steadyMs < Math.min(lifeOf(one), beliefInEnds));
  const newest = signersAt(kept, now).at(-1);
  if (newest ? isHalfOver(newest, now) : steadyMs >= Math.min((ttlSeconds * 1000) / 12, beliefInGaps)) {
    return withNewOne(kept, keys, request);
  }
  return kept.length === set.length ? set : kept;
}

export interface Rotation extends AuthorityRequest {
  /** For how long the clock has gone as fast as time does, in milliseconds. */
  steadyMs: number;
}

/** How long a clock must be steady before an authority is removed because it ended; its life, where that is shorter. */
const beliefInEnds = 60 * 60 * 1000;
/** The same before a new one is made because none is valid; a twelfth of a life, where that is shorter. */
const beliefInGaps = 5 * 60 * 1000;

/** The authority that signs at `now`. Throws CAS0104 when none can. */
export function activeAuthority(set: AuthoritySet, now: number): SigningAuthority {
  let active: SigningAuthority | undefined;
  for (const authority of signersAt(set, now)) {
    if (!active || now >= takeoverAt(active, authority)) active = authority;
  }
  if (!active) throw noAuthorityAt(now);
  return active;
}

/** Whether any of them can sign at `now`. */
export const canSignAt = (set: AuthoritySet, now: number): boolean => signersAt(set, now).length > 0;

/** What the trust bundle has of the set: all of it. */
export function x509AuthoritiesOf(set: AuthoritySet): X509Authority[] {
  return set.map(({ certificate }) => ({ der: certificate, tainted: false }));
}

async function withNewOne(
  set: AuthoritySet,
  keys: KeyManager,
  request: AuthorityRequest,
): Promise<AuthoritySet> {
  const authority = await createAuthority(request, await askKeyManager(() => keys.generate()));
  return [...set, authority].sort((a, b) => a.notBefore - b.notBefore);
}

const signersAt = (set: AuthoritySet, now: number): SigningAuthority[] =>
  set.filter(canSign).filter(({ notBefore, notAfter }) => now >= notBefore && now < notAfter);

const isHalfOver = (authority: Authority, now: number): boolean =>
  now >= authority.notAfter - Math.min(lifeOf(authority) / 2, maxPrepareAhead);

/** Near the end of `active`, but not before `next` could have reached everybody, unless there is no choice. */
function takeoverAt(active: Authority, next: Authority): number {
  const life = lifeOf(active);
  const planned = active.notAfter - Math.min(life / 6, maxActivateAhead);
  const published = next.notBefore + backdateMs + Math.min(life / 12, maxPublishLead);
  return Math.min(active.notAfter, Math.max(planned, published));
}

const canSign = (authority: Authority): authority is SigningAuthority => authority.key.kind !== 'missing';

const lifeOf = ({ notBefore, notAfter }: Authority): number => notAfter - notBefore;
