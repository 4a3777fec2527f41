import { fault } from '../base/faults/fault.js';

/** How often somebody may try to attest (S11), counted by address. */
export interface AttemptLimit {
  /**
   * Waits for its turn. An attempt that succeeded costs nothing: the function that it gives is called then. Throws ATT0501
   * where too many wait already, or after 10 seconds. Also ends when `signal` is aborted, since nobody waits any more.
   */
  begin(network: string, signal: AbortSignal): Promise<() => void>;
}

const maxWaiting = 100;
const maxWaitMs = 10_000;
const maxNetworks = 10_000;

/** A whole number in a second, and as many at once, from one address; 0 for no limit. What it remembers is bounded. */
export function attemptLimit(perSecond: number): AttemptLimit {
  if (perSecond === 0) return { begin: async () => () => {} };
  const buckets = new Map<string, Bucket>();
  const bucketOf = (network: string) => {
    const bucket = buckets.get(network) ?? newBucket(perSecond);
    // Those that were used last are the last to be forgotten.
    buckets.delete(network);
    buckets.set(network, bucket);
    for (const [other, { waiting }] of buckets) {
      if (buckets.size <= maxNetworks) break;
      if (waiting.size === 0) buckets.delete(other);
    }
    return bucket;
  };
  return {
    begin: async (network, signal) => {
      const bucket = bucketOf(network);
      refill(bucket, perSecond);
      if (bucket.left >= 1) bucket.left--;
      else if (bucket.waiting.size >= maxWaiting) throw fault('ATT0501', { network });
      else await turnIn(bucket, perSecond, network, signal);
      return () => {
        bucket.left++;
        letGo(bucket, perSecond);
      };
    },
  };
}

interface Bucket {
  left: number;
  /** When `left` was right; milliseconds on the clock that never jumps. */
  at: number;
  readonly waiting: Set<() => void>;
  timer: NodeJS.Timeout | undefined;
}

function newBucket(perSecond: number): Bucket {
  return { left: perSecond, at: performance.now(), waiting: new Set(), timer: undefined };
}

function refill(bucket: Bucket, perSecond: number): void {
  const now = performance.now();
  bucket.left = Math.min(perSecond, bucket.left + ((now - bucket.at) / 1000) * perSecond);
  bucket.at = now;
}

/** Lets those in whose turn it is, the first that came first, and comes back for the others. */
function letGo(bucket: Bucket, perSecond: number): void {
  clearTimeout(bucket.timer);
  refill(bucket, perSecond);
  for (const enter of bucket.waiting) {
    if (bucket.left < 1) break;
    bucket.left--;
    enter();
  }
  if (bucket.waiting.size === 0) return;
  const untilNext = ((1 - bucket.left) / perSecond) * 1000;
  bucket.timer = setTimeout(() => letGo(bucket, perSecond), Math.ceil(untilNext)).unref();
}

function turnIn(bucket: Bucket, perSecond: number, network: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = () => {
      bucket.waiting.delete(enter);
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
    };
    const enter = () => {
      leave();
      resolve();
    };
    const giveUp = () => {
      leave();
      reject(fault('ATT0501', { network }));
    };
    const timer = setTimeout(giveUp, maxWaitMs).unref();
    if (signal.aborted) return giveUp();
    signal.addEventListener('abort', giveUp);
    bucket.waiting.add(enter);
    letGo(bucket, perSecond);
  });
}
