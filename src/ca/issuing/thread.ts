import { Worker } from 'node:worker_threads';
import { receivedError } from '../../base/faults/sent-error.js';
import type { IssuedSvid } from '../issue-x509-svid.js';
import { type FromThread, packed, type ToThread, unpacker } from './messages.js';
import type { Signer, SvidOrder } from './order.js';
import type { Lane } from './queue.js';

/** What became of an order. */
export type Outcome = IssuedSvid | Error;

/** Orders of one call, as many as are signed at a stretch. */
export interface Chunk {
  readonly size: number;
  readonly lane: Lane;
  readonly signer: Signer;
  readonly orders: readonly SvidOrder[];
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  /** How often a thread ended over it. */
  failures: number;
  /** One outcome an order, in order. */
  done(outcomes: readonly Outcome[]): void;
}

export interface SigningThread {
  /** How often it was given something of a lane, or of both, that it has not answered. */
  load(lane?: Lane): number;
  /** Chunks of one lane and one signer, to be answered together. */
  take(chunks: readonly Chunk[]): void;
  end(): Promise<void>;
}

/** What the pool is told of its threads. */
export interface ThreadEvents {
  answered(thread: SigningThread): void;
  /** It is gone, with the chunks that it had. */
  ended(thread: SigningThread, left: Chunk[], cause: unknown): void;
}

export function startSigningThread(events: ThreadEvents): SigningThread {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { resourceLimits });
  const given = new Map<number, readonly Chunk[]>();
  let lastId = 0;
  let signer: Signer | undefined;
  let cause: unknown;
  const say = (message: ToThread, transferred: ArrayBuffer[] = []) =>
    worker.postMessage(message, transferred);
  const thread: SigningThread = {
    load: (lane) => {
      if (!lane) return given.size;
      return [...given.values()].filter(([first]) => first?.lane === lane).length;
    },
    take: (chunks) => {
      const [first] = chunks;
      if (!first) return;
      const id = ++lastId;
      given.set(id, chunks);
      if (signer !== first.signer) say({ kind: 'signer', signer: first.signer });
      signer = first.signer;
      const bytes = packed(chunks.flatMap(({ orders }) => orders.map(({ csr }) => csr)));
      const orders = chunks.flatMap((chunk) =>
        chunk.orders.map((order) => ({ ...order, csr: order.csr.length, now: chunk.now })),
      );
      say({ kind: 'orders', id, lane: first.lane, orders, bytes }, [bytes.buffer]);
    },
    end: async () => void (await worker.terminate()),
  };
  worker.on('message', (answer: FromThread) => {
    const outcomes = outcomesOf(answer);
    const chunks = given.get(answer.id) ?? [];
    given.delete(answer.id);
    for (const { size, done } of chunks) done(outcomes.splice(0, size));
    events.answered(thread);
  });
  worker.on('error', (error) => {
    cause = error; // what follows is `exit`
  });
  worker.once('exit', () => {
    const left = [...given.values()].flat();
    given.clear();
    events.ended(thread, left, cause);
  });
  return thread;
}

/** It keeps nothing: with room for what is new, little of it is still in use when the collector comes. */
const resourceLimits = { maxYoungGenerationSizeMb: 32 };

function outcomesOf({ results, bytes }: FromThread): Outcome[] {
  const take = unpacker(bytes);
  return results.map((result): Outcome => {
    if (result.kind !== 'svid') return receivedError(result, 'issuing');
    const { id, serial, notBefore, notAfter } = result;
    return { id, chain: result.chain.map(take), serial, notBefore, notAfter };
  });
}
