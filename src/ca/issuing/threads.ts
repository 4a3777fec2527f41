import { fault } from '../../base/faults/fault.js';
import type { Log } from '../../telemetry/log.js';
import type { FairQueue, Lane } from './queue.js';
import type { Chunk, SigningThread, startSigningThread } from './thread.js';

export interface SigningThreads {
  /** Gives threads what is in the queue, as long as one has room. */
  distribute(): void;
  end(): Promise<void>;
}

export interface ThreadsOptions {
  readonly queue: FairQueue<Chunk>;
  readonly most: number;
  /** Milliseconds without work after which they are ended. */
  readonly idleMs: number;
  readonly start: typeof startSigningThread;
  readonly log: Log;
}

/** Of each lane: so that a thread has its next work when it answers. */
const maxLoad = 2;
const lanes: readonly Lane[] = ['small', 'batch'];
/** A chunk over which this many threads ended is not tried again. */
const maxFailures = 3;

/** Starts threads when there is work, and another one for one that died, whose work is done again. */
export function signingThreads({ queue, most, idleMs, start, log }: ThreadsOptions): SigningThreads {
  const running = new Set<SigningThread>();
  let idle: NodeJS.Timeout | undefined;
  const endThem = async () => {
    const ending = [...running];
    running.clear();
    await Promise.all(ending.map((thread) => thread.end()));
  };
  const answered = () => {
    distribute();
    if ([...running].every((thread) => thread.load() === 0))
      idle = setTimeout(() => void endThem(), idleMs).unref();
  };
  const ended = (thread: SigningThread, left: readonly Chunk[], cause: unknown) => {
    running.delete(thread);
    if (left.length > 0)
      log.error({ error: cause }, 'a thread that issues SVIDs died; its work is done again');
    for (const chunk of left) repeat(chunk, queue, cause);
    distribute();
  };
  const withRoom = (lane: Lane): SigningThread | undefined => {
    const [freest] = [...running].sort((a, b) => a.load(lane) - b.load(lane) || a.load() - b.load());
    if (freest?.load() === 0) return freest;
    if (running.size === most) return freest && freest.load(lane) < maxLoad ? freest : undefined;
    const thread = start({ answered, ended });
    running.add(thread);
    return thread;
  };
  function distribute(): void {
    clearTimeout(idle);
    for (const lane of lanes) {
      while (queue.has(lane)) {
        const thread = withRoom(lane);
        if (!thread) break;
        thread.take(queue.next(lane, (first, { signer }) => first.signer === signer));
      }
    }
  }
  return {
    distribute,
    end: async () => {
      clearTimeout(idle);
      await endThem();
    },
  };
}

function repeat(chunk: Chunk, queue: FairQueue<Chunk>, cause: unknown): void {
  chunk.failures++;
  if (chunk.failures < maxFailures) queue.putBack(chunk);
  else chunk.done(chunk.orders.map(() => fault('CAS0108', {}, { cause })));
}
