import type { Clock } from '../base/clock.js';
import type { Bundle } from '../spiffe/bundle.js';
import type { X509Svid } from '../spiffe/x509-svid.js';
import type { Log } from '../telemetry/log.js';
import { acceptSvid, isVouchedFor, type KeyRequest, newKeyRequest, rotationTime } from './issued-svid.js';
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
  /**
   * Brings the cache in line with the entries: what has no entry goes, what is missing, outdated, past half of its life or no
   * longer vouched for by `bundle` is signed again. An SVID that cannot be replaced stays until it expires. Throws what
   * `sign` throws, after keeping what was signed before.
   */
  refresh(entries: readonly AgentEntry[], bundle: Bundle, sign: SignSvids): Promise<void>;
  /** By entry ID; only SVIDs that have not expired. */
  svids(): ReadonlyMap<string, X509Svid>;
  /** When the next one is due, in milliseconds since the Unix epoch; Infinity when there is none. */
  nextRotation(): number;
}

interface Cached {
  readonly svid: X509Svid;
  readonly revision: number;
  readonly createdAt: number;
  readonly rotateAt: number;
}

/** As SPIRE's agent; at this size a batch stays far below gRPC's 4 MiB. */
const maxBatch = 500;

export function createSvidCache(options: { clock: Clock; log: Log; random?: () => number }): SvidCache {
  const { clock, log, random = Math.random } = options;
  const cached = new Map<string, Cached>();

  const dropUnentitled = (entries: readonly AgentEntry[]) => {
    const entitled = new Map(entries.map((entry) => [entry.id, entry]));
    for (const [id, { svid }] of cached) {
      if (entitled.get(id)?.spiffeId !== svid.id || svid.notAfter <= clock.now()) cached.delete(id);
    }
  };

  const isDue = (entry: AgentEntry, bundle: Bundle): boolean => {
    const known = cached.get(entry.id);
    return (
      known?.revision !== entry.revision ||
      known.createdAt !== entry.createdAt ||
      known.rotateAt <= clock.now() ||
      !isVouchedFor(known.svid, bundle, clock.now())
    );
  };

  const take = (entry: AgentEntry, { privateKey }: KeyRequest, answer: SignAnswer, bundle: Bundle) => {
    if ('refusal' in answer) {
      log.warn({ entry: entry.id, id: entry.spiffeId, refusal: answer.refusal }, 'the server signed no SVID');
      return;
    }
    try {
      const now = clock.now();
      const svid = acceptSvid(answer.chain, privateKey, bundle, (id) => id === entry.spiffeId, now);
      const rotateAt = rotationTime(svid.notAfter, now, random());
      cached.set(entry.id, { svid, revision: entry.revision, createdAt: entry.createdAt, rotateAt });
    } catch (error) {
      log.error({ entry: entry.id, id: entry.spiffeId, error }, 'the server signed an SVID that is not good');
    }
  };

  return {
    async refresh(entries, bundle, sign) {
      dropUnentitled(entries);
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
    nextRotation: () => Math.min(...[...cached.values()].map(({ rotateAt }) => rotateAt), Infinity),
  };
}
