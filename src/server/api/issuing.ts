import type { Clock } from '../../base/clock.js';
import type { Entry } from '../../registration/entry.js';

/** How long an SVID for an entry may last, in seconds: `ttl` at most, and never longer than the entry itself (S9). */
export function lifetimeWithin({ expiresAt }: Entry, ttl: number, clock: Clock): number {
  return expiresAt === 0 ? ttl : Math.min(ttl, expiresAt - clock.now() / 1000);
}
