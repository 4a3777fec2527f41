import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fault } from '../base/faults/fault.js';

export interface Wait {
  /** What is waited for, for the error. */
  readonly what: string;
  readonly seconds: number;
  /** Ends the wait at once, with its reason: a process was lost, or the person has had enough. */
  readonly signal: AbortSignal;
}

const pauseMs = 25;

/**
 * Asks again and again, 25 ms apart, until the answer is neither `undefined`, `false` nor an exception. Throws DEM0204 when
 * that takes too long.
 */
export async function until<T>(wait: Wait, ask: () => Promise<T | undefined | false>): Promise<T> {
  const deadline = performance.now() + wait.seconds * 1000;
  for (;;) {
    wait.signal.throwIfAborted();
    const answer = await ask().catch(() => undefined);
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > deadline) throw fault('DEM0204', { what: wait.what, seconds: wait.seconds });
    await sleep(pauseMs);
  }
}

/** What `work` gives, unless the signal is aborted first; then its reason is thrown, and the work goes on unheeded. */
export async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const stopped = new AbortController();
  const ended = once(signal, 'abort', { signal: stopped.signal });
  try {
    signal.throwIfAborted();
    await Promise.race([work, ended.catch(() => undefined)]);
    signal.throwIfAborted();
    return await work;
  } finally {
    stopped.abort();
  }
}
