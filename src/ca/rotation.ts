import { backdateMs, noAuthorityAt } from './authority.js';
import type { MissingKey, SigningKey } from './signing-key.js';

// How the authorities of one kind, the oldest first, follow each other. Their own times, and the time it is, alone say which
// one signs, so nothing about it has to be stored:
//
//     |------ old ------|------------- active -------------|--- old ---> ends
//                                  half life       1/6 left
//                                      | next: prepared    | active ...
//
// A prepared one is in the trust bundle before it signs anything, and an old one until it ends: no SVID outlives it
// (SPIFFE Federation §4.1).

/** What an authority of any kind has. */
export interface Lasting {
  readonly key: SigningKey | MissingKey;
  /** Milliseconds since the Unix epoch; `backdateMs` before it was made. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** One that can sign. */
export type Signing<Authority extends Lasting> = Authority & { readonly key: SigningKey };

const day = 24 * 60 * 60 * 1000;
const maxPrepareAhead = 30 * day;
const maxActivateAhead = 7 * day;
const maxPublishLead = 15 * 60 * 1000;

/**
 * The authorities of a server that starts at `now`: with a new one where none can sign, since there never was one, its key is
 * lost, or the server was away for longer than a life. Nothing is removed: it is the clock that may be wrong. The same array
 * when nothing changes.
 */
export async function begun<Authority extends Lasting>(
  all: readonly Authority[],
  now: number,
  create: () => Promise<Authority>,
): Promise<readonly Authority[]> {
  return canSignAt(all, now) ? all : withNewOne(all, create);
}

export interface Moment {
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  /** For how long the clock has gone as fast as time does, in milliseconds. */
  readonly steadyMs: number;
}

/**
 * The authorities as they must be at a moment, with a prepared one once the newest is past half of its life. A clock that
 * jumped is not believed at once: what seems to have ended stays, and what seems to be missing is not made. So a clock that
 * goes wrong and comes back costs nothing but the time between. The same array when nothing changes.
 */
export async function rotated<Authority extends Lasting>(
  all: readonly Authority[],
  { now, steadyMs }: Moment,
  ttlSeconds: number,
  create: () => Promise<Authority>,
): Promise<readonly Authority[]> {
  const kept = all.filter((one) => now <= one.notAfter || steadyMs < Math.min(lifeOf(one), beliefInEnds));
  const newest = signersAt(kept, now).at(-1);
  if (newest ? isHalfOver(newest, now) : steadyMs >= Math.min((ttlSeconds * 1000) / 12, beliefInGaps)) {
    return withNewOne(kept, create);
  }
  return kept.length === all.length ? all : kept;
}

/** How long a clock must be steady before an authority is removed because it ended; its life, where that is shorter. */
const beliefInEnds = 60 * 60 * 1000;
/** The same before a new one is made because none is valid; a twelfth of a life, where that is shorter. */
const beliefInGaps = 5 * 60 * 1000;

/** The authority that signs at `now`. Throws CAS0104 when none can. */
export function active<Authority extends Lasting>(
  all: readonly Authority[],
  now: number,
): Signing<Authority> {
  let found: Signing<Authority> | undefined;
  for (const authority of signersAt(all, now)) {
    if (!found || now >= takeoverAt(found, authority)) found = authority;
  }
  if (!found) throw noAuthorityAt(now);
  return found;
}

/** Whether any of them can sign at `now`. */
export const canSignAt = (all: readonly Lasting[], now: number): boolean => signersAt(all, now).length > 0;

async function withNewOne<Authority extends Lasting>(
  all: readonly Authority[],
  create: () => Promise<Authority>,
): Promise<readonly Authority[]> {
  return [...all, await create()].sort((a, b) => a.notBefore - b.notBefore);
}

function signersAt<Authority extends Lasting>(all: readonly Authority[], now: number): Signing<Authority>[] {
  return all.filter(canSign).filter(({ notBefore, notAfter }) => now >= notBefore && now < notAfter);
}

const isHalfOver = (authority: Lasting, now: number): boolean =>
  now >= authority.notAfter - Math.min(lifeOf(authority) / 2, maxPrepareAhead);

/** Near the end of `current`, but not before `next` could have reached everybody, unless there is no choice. */
function takeoverAt(current: Lasting, next: Lasting): number {
  const life = lifeOf(current);
  const planned = current.notAfter - Math.min(life / 6, maxActivateAhead);
  const published = next.notBefore + backdateMs + Math.min(life / 12, maxPublishLead);
  return Math.min(current.notAfter, Math.max(planned, published));
}

function canSign<Authority extends Lasting>(authority: Authority): authority is Signing<Authority> {
  return authority.key.kind !== 'missing';
}

/** From when it was made. */
const lifeOf = ({ notBefore, notAfter }: Lasting): number => notAfter - (notBefore + backdateMs);
