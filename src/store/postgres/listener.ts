import { setTimeout as sleep } from 'node:timers/promises';
import { channel } from './group.js';
import type { Session } from './session.js';

/** Milliseconds between two looks without being told: nothing is found later than this. */
const lookEvery = 1000;

/** Milliseconds between two signs of life, and until a connection is made again. */
const heartbeat = 5000;
const retryAfter = 1000;

/**
 * Calls `look` when a server on the same database says that it wrote something, and once a second as well: a notification may
 * be lost with its connection, which is made again.
 */
export function listen(open: () => Promise<Session>, look: () => void): () => Promise<void> {
  const stopped = new AbortController();
  const { signal } = stopped;
  const timer = setInterval(look, lookEvery);
  const listening = keepListening(open, look, signal);
  return async () => {
    clearInterval(timer);
    stopped.abort();
    await listening;
  };
}

async function keepListening(
  open: () => Promise<Session>,
  look: () => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    let session: Session | undefined;
    try {
      session = await open();
      session.onNotification(look);
      await session.script(`listen ${channel}`);
      // What was written before the database listened for us.
      look();
      while (session.isOpen() && !signal.aborted) {
        await pause(heartbeat, signal);
        if (session.isOpen() && !signal.aborted) await session.script('select 1 as alive');
      }
    } catch {
      // The look once a second goes on, and those who write are told what is wrong.
    }
    if (session?.isOpen()) await session.close();
    await pause(retryAfter, signal);
  }
}

/** Ends early when there is no reason to wait any more. */
async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(milliseconds, undefined, { signal });
  } catch {
    // Aborted: the caller looks at the signal.
  }
}
