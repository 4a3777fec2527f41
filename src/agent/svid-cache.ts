import type { Clock } from '../base/clock.js';
import type { Bundle } from '../spiffe/bundle.js';
import type { X509Svid } from '../spiffe/x509-svid.js';
import type { Log } from '../telemetry/log.js';
import {
  acceptSvid,
  isLate,
  isVouchedFor,
  type KeyRequest,
  newKeyRequest,
  rotationTime,
} from './issued-svid.js';
import type { AgentEntry } from './snapshot.js';

/** One SVID to be signed, as BatchNewX509SVID takes it. */
export interface SignRequest {
  readonly entryId: string;
  readonly csr: Uint8Array;
}

/** What the server answered to one request: a chain (DER, leaf first), or why there is none. */
export type SignAnswer = { readonly chain: readonly Uint8Array[] } | { readonly refusal: string };

/** Answers in the order of the requests. */
export type SignSvids = (requests: readonly SignRequest[]) => Promise<readonly SignAnswer[]>;

/** The workloads' SVIDs, in memory only. */
export interface SvidCache {
  /** From now on SVIDs are for these entries, and those of others are gone; also while a `refresh` is running. */
  entitle(entries: readonly AgentEntry[]): void;
  /** Takes up what was kept for these entries over a restart. */
  restore(entries: readonly AgentEntry[], svids: ReadonlyMap<string, X509Svid>, bundle: Bundle): void;
  /**
   * Brings the cache in line with the entries: what has no entry goes, what is missing, outdated, past half of its life or no
   * longer vouched for by `bundle` is signed again. An SVID that cannot be replaced stays until it expires. Throws what
   * `sign` throws, after keeping what was signed before.
   */
  refresh(entries: readonly AgentEntry[], bundle: Bundle, sign: SignSvids): Promise<void>;
  /** By entry ID; only SVIDs that have not expired. */
  svids(): ReadonlyMap<string, X509Svid>;
  /** When the first of them expires, in milliseconds since the Unix epoch, or Infinity. */
  firstExpiry(): number;
  /** How many should have been replaced long ago (`isLate`). */
  late(): number;
  /** When the next one is due, or one that was refused is to be asked for again, in milliseconds since the Unix epoch, or Infinity. */
  nextRotation(): number;
}

interface Cached {
  readonly svid: X509Svid;
  readonly revision: number;
  readonly createdAt: number;
  version: string | undefined;
  readonly rotateAt: number;
  /** The bundle that was last seen to vouch for it. */
  vouchedBy: Bundle;
}

/** As SPIRE's agent; at this size a batch stays far below gRPC's 4 MiB. */
const maxBatch = 500;

/** Milliseconds until the server is asked again for an SVID that it refused. */
const retryMs = 5_000;

export function createSvidCache(options: { clock: Clock; log: Log; random?: () => number }): SvidCache {
  const { clock, log, random = Math.random } = options;
  const cached = new Map<string, Cached>();
  let entitled: ReadonlyMap<string, AgentEntry> = new Map();
  let retryAt = Infinity;

  const entitle = (entries: readonly AgentEntry[]) => {
    entitled = new Map(entries.map((entry) => [entry.id, entry]));
    for (const [id, { svid }] of cached) {
      if (entitled.get(id)?.spiffeId !== svid.id || svid.notAfter <= clock.now()) cached.delete(id);
    }
  };

  const isDue = (entry: AgentEntry, bundle: Bundle): boolean => {
    const known = cached.get(entry.id);
    if (known?.revision !== entry.revision || known.createdAt !== entry.createdAt) return true;
    // Made again under its old ID within a second, an entry differs in nothing but that.
    if ((known.version ?? entry.version) !== (entry.version ?? known.version)) return true;
    known.version ??= entry.version;
    if (known.rotateAt <= clock.now()) return true;
    if (known.vouchedBy !== bundle && !isVouchedFor(known.svid, bundle, clock.now())) return true;
    known.vouchedBy = bundle;
    return false;
  };

  const take = (entry: AgentEntry, { privateKey }: KeyRequest, answer: SignAnswer, bundle: Bundle) => {
    if (entitled.get(entry.id)?.spiffeId !== entry.spiffeId) return;
    const now = clock.now();
    if ('refusal' in answer) {
      retryAt = now + retryMs;
      log.warn({ entry: entry.id, id: entry.spiffeId, refusal: answer.refusal }, 'the server signed no SVID');
      return;
    }
    try {
      const svid = acceptSvid(answer.chain, privateKey, bundle, (id) => id === entry.spiffeId, now);
      const { revision, createdAt, version } = entry;
      const rotateAt = rotationTime(svid.notAfter, now, random());
      cached.set(entry.id, { svid, revision, createdAt, version, rotateAt, vouchedBy: bundle });
    } catch (error) {
      retryAt = now + retryMs;
      log.error({ entry: entry.id, id: entry.spiffeId, error }, 'the server signed an SVID that is not good');
    }
  };

  return {
    entitle,
    restore(entries, svids, bundle) {
      for (const { id, revision, createdAt, version } of entries) {
        const svid = svids.get(id);
        if (!svid) continue;
        const rotateAt = rotationTime(svid.notAfter, svid.notBefore, random());
        cached.set(id, { svid, revision, createdAt, version, rotateAt, vouchedBy: bundle });
      }
      entitle(entries);
    },
    async refresh(entries, bundle, sign) {
      entitle(entries);
      retryAt = Infinity;
      const due = entries.filter((entry) => isDue(entry, bundle));
      for (let from = 0; from < due.length; from += maxBatch) {
        const batch = due.slice(from, from + maxBatch);
        const requests = batch.map((entry) => ({ entry, key: newKeyRequest(entry.spiffeId) }));
        const answers = await sign(requests.map(({ entry, key }) => ({ entryId: entry.id, csr: key.csr })));
        for (const [index, { entry, key }] of requests.entries()) {
          take(entry, key, answers[index] ?? { refusal: 'no answer' }, bundle);
        }
      }
    },
    svids() {
      const good = [...cached].filter(([, { svid }]) => svid.notAfter > clock.now());
      return new Map(good.map(([id, { svid }]) => [id, svid]));
    },
    firstExpiry: () =>
      [...cached.values()].reduce((first, { svid }) => Math.min(first, svid.notAfter), Infinity),
    late: () =>
      [...cached.values()].filter(({ svid, rotateAt }) => isLate(svid, rotateAt, clock.now())).length,
    nextRotation: () =>
      [...cached.values()].reduce((soonest, { rotateAt }) => Math.min(soonest, rotateAt), retryAt),
  };
}
