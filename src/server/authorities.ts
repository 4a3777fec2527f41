import type { Clock } from '../base/clock.js';
import { sha256Hex } from '../base/digest.js';
import { fault } from '../base/faults/fault.js';
import { createListeners } from '../base/listeners.js';
import { watchClock } from '../base/steady-clock.js';
import { takingTurns } from '../base/turns.js';
import { loadAuthorities, saveAuthorities } from '../ca/authority-file.js';
import { authoritiesToPem } from '../ca/authority-pem.js';
import {
  type AuthoritySet,
  activeAuthority,
  activeJwtSigner,
  beginAuthorities,
  jwtAuthoritiesOf,
  noAuthorities,
  rotateAuthorities,
  x509AuthoritiesOf,
} from '../ca/authority-set.js';
import { type IssuedJwtSvid, issueJwtSvid, type JwtSvidRequest } from '../ca/issue-jwt-svid.js';
import { type IssuedSvid, issueX509Svid, type SvidRequest, subjectKeyOf } from '../ca/issue-x509-svid.js';
import type { SvidOrder } from '../ca/issuing/order.js';
import type { IssuingPool } from '../ca/issuing/pool.js';
import type { Outcome } from '../ca/issuing/thread.js';
import type { KeyManager } from '../ca/key-manager.js';
import { keyName } from '../ca/public-key.js';
import { canSignAt } from '../ca/rotation.js';
import type { Bundle } from '../spiffe/bundle.js';
import { bundleToJwks } from '../spiffe/bundle-jwks.js';
import type { TrustDomain } from '../spiffe/id.js';
import type { BundleSource } from '../spiffe/source.js';
import type { Log } from '../telemetry/log.js';
import { checkKeyIds, livingAt, sameAuthorities, withoutKnown } from './appended-authorities.js';
import { authorityKeys, currentSigner } from './current-signer.js';
import type { AppendedAuthorities, ServerStore } from './ports.js';

/** The trust domain's signing authorities, kept current. */
export interface Authorities extends BundleSource {
  /** Of our own trust domain. */
  own(): Bundle;
  /** Rejects with what `issueX509Svid` throws. */
  issue(request: Omit<SvidRequest, 'now'>): Promise<IssuedSvid>;
  /** The same for many that ask with CSRs. One outcome an order, in order; rejects with CAS0104, for all of them. */
  issueBatch(orders: readonly SvidOrder[]): Promise<Outcome[]>;
  /** The same for the server itself: from then on nobody else gets an SVID for this key (S7). */
  issueOwn(request: Omit<SvidRequest, 'now'>): Promise<IssuedSvid>;
  /** A JWT-SVID. Rejects with what `issueJwtSvid` throws. */
  issueJwt(request: Omit<JwtSvidRequest, 'now'>): Promise<IssuedJwtSvid>;
  /** All of them as they are on the disk, with the keys that are there (`authoritiesToPem`). **Secret.** */
  pem(): string;
  /**
   * Adds authorities that are not ours to our trust bundle: until they end, whoever trusts us trusts them. Rejects with SRV0607
   * for a JWT authority with the key ID of another one, and with STO02xx.
   */
  append(added: AppendedAuthorities): Promise<void>;
  /**
   * Rotates what is due. A failure leaves everything as it was; called again, it tries again. Wants to be called about once a
   * second, since it is what notices that the clock jumped. Throws CAS0106, CAS0107, CAS03xx, STO02xx.
   */
  keepCurrent(): Promise<void>;
}

export interface AuthoritiesOptions {
  /** The file of the authorities, with their keys or what refers to them. */
  path: string;
  keys: KeyManager;
  trustDomain: TrustDomain;
  /** Of an authority, in seconds. */
  ttlSeconds: number;
  clock: Clock;
  /** A clock that cannot be set, in milliseconds. */
  uptime?: () => number;
  log: Log;
  pool: IssuingPool;
  store: Pick<
    ServerStore,
    'bundleSequence' | 'lastBundleSequence' | 'appendedAuthorities' | 'appendAuthorities'
  >;
}

/** Loads the authorities, or makes the first one ever. Throws CAS03xx for a file that cannot be used or is gone. */
export async function openAuthorities(options: AuthoritiesOptions): Promise<Authorities> {
  const { path, keys, trustDomain, ttlSeconds, clock, uptime, pool, store, log } = options;
  const { onChange, tell } = createListeners();
  const signer = currentSigner();
  const loaded = await loadAuthorities(path, trustDomain, keys);
  if (!loaded && (await store.lastBundleSequence()) > 0n) throw fault('CAS0304', { path });
  let made: AuthoritySet = loaded ?? noAuthorities;
  let saved = made;
  let set = made;
  const refreshHint = refreshHintFor(ttlSeconds);
  let appended = await store.appendedAuthorities();
  let shown = livingAt(appended, clock.now());
  let bundle = bundleOf(trustDomain, set, shown, refreshHint);
  const become = async (step: (made: AuthoritySet) => Promise<AuthoritySet>, now: number) => {
    // Kept when another step or writing it fails: a key manager is not asked for the same key every time.
    for (let before: AuthoritySet | undefined; made !== before; ) {
      before = made;
      made = await step(made);
      if (isNewRoot(before, made, now)) log.warn({}, newRoot);
    }
    // On the disk before anybody hears of it: an authority that signed must still be there after a crash.
    if (made !== saved) await saveAuthorities(path, made);
    saved = made;
    const living = livingAt(appended, now);
    if (saved === set && sameAuthorities(living, shown) && bundle.sequence !== 0n) return;
    const candidate = bundleOf(trustDomain, saved, living, refreshHint);
    const sequence = await store.bundleSequence(sha256Hex(bundleToJwks(candidate)));
    set = saved;
    shown = living;
    bundle = { ...candidate, sequence };
    tell();
  };
  const inTurn = takingTurns();
  const readClock = watchClock(clock, uptime);
  const start = clock.now();
  await become((from) => beginAuthorities(from, keys, { trustDomain, ttlSeconds, now: start }), start);
  return {
    own: () => bundle,
    pem: () => authoritiesToPem(saved),
    bundle: (asked) => (asked === trustDomain ? bundle : undefined),
    onChange,
    issue: async (request) => {
      const now = clock.now();
      const { authority, reservedKeys } = signer.at(set, bundle, now);
      return issueX509Svid(authority, { ...request, now }, reservedKeys);
    },
    issueBatch: async (orders) => {
      const now = clock.now();
      return pool.issue(signer.at(set, bundle, now), orders, now);
    },
    issueOwn: async (request) => {
      const now = clock.now();
      const svid = await issueX509Svid(activeAuthority(set, now), { ...request, now }, authorityKeys(bundle));
      signer.addOwnKey(keyName(subjectKeyOf(request)));
      return svid;
    },
    issueJwt: async (request) => {
      const now = clock.now();
      return issueJwtSvid(trustDomain, activeJwtSigner(set, now), { ...request, now });
    },
    append: (added) =>
      inTurn(async () => {
        checkKeyIds(added, bundle);
        appended = await store.appendAuthorities(withoutKnown(added, bundle));
        await become(async (same) => same, clock.now());
      }),
    keepCurrent: () =>
      inTurn(async () => {
        const { now, steadyMs, jumpMs } = readClock();
        if (jumpMs !== 0) log.warn({ from: isoTime(now - jumpMs), to: isoTime(now) }, 'the clock jumped');
        const moment = { trustDomain, ttlSeconds, now, steadyMs };
        await become((from) => rotateAuthorities(from, keys, moment), now);
        if (!canSignAt(set.x509, now) || !canSignAt(set.jwt, now))
          throw fault('CAS0107', { at: isoTime(now) });
      }),
  };
}

const newRoot =
  'no signing authority could sign, so there is a new one: agents that have only the old trust bundle need the new one';

function isNewRoot(before: AuthoritySet, after: AuthoritySet, now: number): boolean {
  return before.x509.length > 0 && !canSignAt(before.x509, now) && canSignAt(after.x509, now);
}

const isoTime = (ms: number): string => new Date(ms).toISOString();

/**
 * How often others should look for a new bundle, in seconds: so that they do five times between the moment in which an
 * authority is prepared, at half life, and that in which it signs, a sixth before the end (SPIFFE Federation §4.1).
 */
function refreshHintFor(ttlSeconds: number): number {
  return Math.min(300, Math.max(1, Math.floor(ttlSeconds / 15)));
}

function bundleOf(
  trustDomain: TrustDomain,
  set: AuthoritySet,
  appended: AppendedAuthorities,
  refreshHint: number,
): Bundle {
  return {
    trustDomain,
    x509Authorities: [...x509AuthoritiesOf(set), ...appended.x509Authorities],
    jwtAuthorities: [...jwtAuthoritiesOf(set), ...appended.jwtAuthorities],
    sequence: 0n,
    refreshHint,
  };
}
