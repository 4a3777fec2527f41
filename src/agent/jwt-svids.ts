import type { Clock } from '../base/clock.js';
import { Fault, fault } from '../base/faults/fault.js';
import { shared } from '../base/share.js';
import type { Bundle } from '../spiffe/bundle.js';
import type { JwtSvidClaims } from '../spiffe/jwt-svid.js';
import { verifyJwtSvid } from '../spiffe/verify-jwt-svid.js';
import type { Log } from '../telemetry/log.js';
import { remoteStatus } from '../transport/grpc-client.js';
import type { JwtSvids } from '../workload-api/jwt-answers.js';
import type { Identities } from './identities.js';
import type { AgentEntry } from './snapshot.js';

/** One JWT-SVID to be signed. */
export interface JwtRequest {
  readonly entryId: string;
  readonly audience: readonly string[];
  readonly deadlineMs: number;
}

export interface JwtSvidsOptions {
  readonly identities: Pick<Identities, 'current'>;
  readonly newJwtSvid: (request: JwtRequest) => Promise<string>;
  readonly clock: Clock;
  readonly log: Log;
  /** How many tokens are kept at most; the one that nobody asked for the longest goes first. */
  readonly maxKept?: number;
}

interface Kept {
  readonly entry: AgentEntry;
  readonly audience: readonly string[];
  readonly token: string;
  readonly expiresAt: number;
  /** Milliseconds since the Unix epoch: half of its life. */
  readonly renewAt: number;
  /** The bundle that was last seen to vouch for it. */
  vouchedBy: Bundle;
}

/** Milliseconds for the server to answer: nobody should wait long for a better token than the good one that is there. */
const deadlineMs = 30_000;
const renewalDeadlineMs = 3_000;

/**
 * JWT-SVIDs, in memory only. A token is asked for when a workload first wants it and given again until half of its life, then
 * asked for anew; while that fails, one that is still good is given. Tokens are checked before they are kept, and again when the
 * bundle changes: what nobody would accept is not handed out. Those who ask for the same at once share one call of the server.
 */
export function createJwtSvids(options: JwtSvidsOptions): JwtSvids {
  const { identities, newJwtSvid, clock, log, maxKept = 1_000 } = options;
  const kept = new Map<string, Kept>();

  const isGood = (held: Kept | undefined, entry: AgentEntry, own: Bundle): held is Kept => {
    if (held?.entry.spiffeId !== entry.spiffeId || held.expiresAt <= clock.now()) return false;
    if (held.vouchedBy === own) return true;
    try {
      checkToken(held.token, entry, held.audience, own, clock.now());
      held.vouchedBy = own;
      return true;
    } catch {
      return false;
    }
  };

  const ask = async (entry: AgentEntry, audience: readonly string[], deadline: number): Promise<Kept> => {
    const token = await newJwtSvid({ entryId: entry.id, audience, deadlineMs: deadline });
    const { now, own } = { now: clock.now(), own: bundleNow(identities, entry) };
    const { expiresAt } = checkToken(token, entry, audience, own, now);
    return { entry, audience, token, expiresAt, renewAt: now + (expiresAt - now) / 2, vouchedBy: own };
  };

  const keep = (key: string, held: Kept) => {
    kept.delete(key);
    kept.set(key, held);
    for (const oldest of kept.keys()) {
      if (kept.size <= maxKept) break;
      kept.delete(oldest);
    }
  };

  const renewed = shared((_key: string, ...asked: Parameters<typeof ask>) => ask(...asked));

  return {
    async token(entryId, requested) {
      const audience = [...new Set(requested)].sort();
      const known = identities.current();
      const entry = known?.entries.find(({ id }) => id === entryId);
      if (!known || !entry) throw fault('WLA0203', {});
      const key = JSON.stringify([entry.id, audience]);
      const held = kept.get(key);
      const good = isGood(held, entry, known.bundle) ? held : undefined;
      if (good && good.entry === entry && clock.now() < good.renewAt) {
        keep(key, good);
        return good.token;
      }
      try {
        const next = await renewed(key, entry, audience, good ? renewalDeadlineMs : deadlineMs);
        keep(key, next);
        return next.token;
      } catch (error) {
        if (!good || good.expiresAt <= clock.now()) throw refusal(entry, error);
        log.warn({ entry: entry.id, error }, 'a JWT-SVID could not be renewed; the last one is still good');
        return good.token;
      }
    },
  };
}

/** What is known may have changed while the server signed. */
function bundleNow(identities: Pick<Identities, 'current'>, { id, spiffeId }: AgentEntry): Bundle {
  const known = identities.current();
  const entry = known?.entries.find((one) => one.id === id);
  if (!known || entry?.spiffeId !== spiffeId) throw fault('WLA0203', {});
  return known.bundle;
}

/** Throws AGT0301 and what `verifyJwtSvid` throws. */
function checkToken(
  token: string,
  { spiffeId: id }: AgentEntry,
  audience: readonly string[],
  own: Bundle,
  now: number,
): JwtSvidClaims {
  const jwtAuthorities = own.jwtAuthorities.filter(({ tainted }) => !tainted);
  const bundle = { ...own, jwtAuthorities };
  const claims = verifyJwtSvid(
    token,
    audience[0] ?? '',
    { bundle: (trustDomain) => (trustDomain === own.trustDomain ? bundle : undefined) },
    now,
  );
  if (claims.id !== id)
    throw fault('AGT0301', { id, problem: 'it is for another identity than was asked for' });
  if (!audience.every((one) => claims.audience.includes(one))) {
    throw fault('AGT0301', { id, problem: 'it is for other audiences than were asked for' });
  }
  return claims;
}

function refusal({ spiffeId: id }: AgentEntry, error: unknown): unknown {
  if (!(error instanceof Fault) || error.code === 'WLA0203') return error;
  if (remoteStatus(error) === 'INVALID_ARGUMENT') {
    return fault('AGT0303', { id, reason: error.message }, { cause: error });
  }
  return fault('AGT0302', { id, problem: error.message }, { cause: error });
}
