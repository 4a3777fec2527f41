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
 * The set as it must be at `request.now`: without those that have ended, with a first one where none can sign, and with a
 * prepared one once the newest is past half of its life. The same array when nothing changes; a new one must be stored
 * before it is used. Throws CAS0106.
 */
export async function rotateAuthorities(
  set: AuthoritySet,
  keys: KeyManager,
  request: AuthorityRequest,
): Promise<AuthoritySet> {
  const { now } = request;
  const living = set.filter(({ notAfter }) => now <= notAfter);
  const newest = living.findLast(canSign);
  if (!newest || now >= newest.notAfter - Math.min(lifeOf(newest) / 2, maxPrepareAhead)) {
    return [...living, await createAuthority(request, await askKeyManager(() => keys.generate()))];
  }
  return living.length === set.length ? set : living;
}

/** The authority that signs at `now`. Throws CAS0104 when none is valid. */
export function activeAuthority(set: AuthoritySet, now: number): SigningAuthority {
  let active: SigningAuthority | undefined;
  for (const authority of set.filter(canSign)) {
    if (!active || now >= takeoverAt(active, authority)) active = authority;
  }
  if (!active || now < active.notBefore || now > active.notAfter) {
    throw noAuthorityAt(now);
  }
  return active;
}

/** What the trust bundle has of the set: all of it. */
export function x509AuthoritiesOf(set: AuthoritySet): X509Authority[] {
  return set.map(({ certificate }) => ({ der: certificate, tainted: false }));
}

/** Near the end of `active`, but not before `next` could have reached everybody, unless there is no choice. */
function takeoverAt(active: Authority, next: Authority): number {
  const life = lifeOf(active);
  const planned = active.notAfter - Math.min(life / 6, maxActivateAhead);
  const published = next.notBefore + backdateMs + Math.min(life / 12, maxPublishLead);
  return Math.min(active.notAfter, Math.max(planned, published));
}

const canSign = (authority: Authority): authority is SigningAuthority => authority.key.kind !== 'missing';

const lifeOf = ({ notBefore, notAfter }: Authority): number => notAfter - notBefore;
