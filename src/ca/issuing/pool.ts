import { availableParallelism } from 'node:os';
import type { Log } from '../../telemetry/log.js';
import type { Signer, SvidOrder } from './order.js';
import { fairQueue } from './queue.js';
import { issueWithRemoteKey } from './remote.js';
import { type Chunk, type Outcome, startSigningThread } from './thread.js';
import { signingThreads } from './threads.js';

/**
 * Issues X.509-SVIDs in threads of their own, so that the main thread stays free for everybody else. What a key elsewhere has
 * to sign is mostly waited for, so that needs no thread.
 */
export interface IssuingPool {
  /**
   * One outcome an order, in order: an SVID, or what `fillOrder` throws, or CAS0108 when thread after thread died over it.
   * `now` in milliseconds since the Unix epoch.
   */
  issue(signer: Signer, orders: readonly SvidOrder[], now: number): Promise<Outcome[]>;
  /** Ends the threads once they have done what was asked for. */
  close(): Promise<void>;
}

export interface PoolOptions {
  readonly log: Log;
  /** One a core, at most 4. */
  readonly threads?: number;
  /** Milliseconds without work after which threads are ended, for their memory. A minute. */
  readonly idleMs?: number;
  /** How a thread is started. */
  readonly start?: typeof startSigningThread;
}

/** How many orders of a batch are given to a thread at once; it looks for small calls between any two of them. */
const chunkSize = 50;
/** A call with no more orders than this is a small one. */
const smallCall = 16;

export function openIssuingPool(options: PoolOptions): IssuingPool {
  const {
    log,
    threads = Math.min(availableParallelism(), 4),
    idleMs = 60_000,
    start = startSigningThread,
  } = options;
  const queue = fairQueue<Chunk>(smallCall);
  const workers = signingThreads({ queue, most: threads, idleMs, start, log });
  const running = new Set<Promise<unknown>>();
  return {
    issue: async (signer, orders, now) => {
      if (signer.authority.key.kind === 'remote') return issueWithRemoteKey(signer, orders, now);
      const lane = orders.length <= smallCall ? 'small' : 'batch';
      const pieces = inChunks(orders).map((chunk) => waitingChunk({ lane, signer, orders: chunk, now }));
      queue.add(pieces.map(({ chunk }) => chunk));
      workers.distribute();
      const all = Promise.all(pieces.map(({ outcomes }) => outcomes));
      running.add(all);
      const outcomes = await all;
      running.delete(all);
      return outcomes.flat();
    },
    close: async () => {
      await Promise.all(running);
      await workers.end();
    },
  };
}

function inChunks(orders: readonly SvidOrder[]): (readonly SvidOrder[])[] {
  const count = Math.ceil(orders.length / chunkSize);
  return Array.from({ length: count }, (_, at) => orders.slice(at * chunkSize, (at + 1) * chunkSize));
}

function waitingChunk(of: Pick<Chunk, 'lane' | 'signer' | 'orders' | 'now'>) {
  let done: (outcomes: readonly Outcome[]) => void = () => undefined;
  const outcomes = new Promise<readonly Outcome[]>((resolve) => {
    done = resolve;
  });
  const chunk: Chunk = { ...of, size: of.orders.length, failures: 0, done };
  return { chunk, outcomes };
}
