import type { Log } from '../telemetry/log.js';

/** Something that has to be done again and again, and says itself whether it is due. Trying again does no harm. */
export interface Chore {
  readonly name: string;
  run(): Promise<void> | void;
}

const everyMs = 1000;

/**
 * Does all chores once a second, one round after another. A chore that fails is logged once until it succeeds again; the
 * others go on. Gives how to stop, which waits for the round that runs.
 */
export function keepUp(chores: readonly Chore[], log: Log): () => Promise<void> {
  const failing = new Set<string>();
  let round = Promise.resolve();
  const timer = setInterval(() => {
    round = round.then(() => doAll(chores, failing, log));
  }, everyMs);
  return async () => {
    clearInterval(timer);
    await round;
  };
}

async function doAll(chores: readonly Chore[], failing: Set<string>, log: Log): Promise<void> {
  for (const { name, run } of chores) {
    try {
      await run();
      if (failing.delete(name)) log.info({ chore: name }, 'a chore succeeds again');
    } catch (error) {
      if (!failing.has(name)) log.error({ chore: name, error }, 'a chore failed and will be tried again');
      failing.add(name);
    }
  }
}
