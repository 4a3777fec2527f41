import { backoffMs } from '../base/backoff.js';
import type { Clock } from '../base/clock.js';

export interface PacemakerOptions {
  /** One round; rejects when it failed. Never started while another is running. */
  beat: () => Promise<void>;
  failed: (error: unknown) => void;
  /** Milliseconds between the end of a good round and the next, give or take a tenth, as things stand. */
  intervalMs: () => number;
  /** When something wants a round of its own, in milliseconds since the Unix epoch. */
  nextDue: () => number;
  clock: Clock;
  random: () => number;
}

export interface Pacemaker {
  /** A round now, or right after the one that is running. */
  soon(): void;
  /** The interval or what is due has changed: counts the pause anew. */
  replan(): void;
  /** No further round; resolves when the running one has ended. */
  stop(): Promise<void>;
}

const backoff = { firstMs: 250, maxMs: 30_000 };
const overdueMs = 5_000;

/**
 * Repeats a round for ever: regularly while it succeeds, sooner when something falls due, with exponential backoff while it
 * fails (250 ms to 30 s, jittered so that a fleet does not come back as one).
 */
export function createPacemaker(options: PacemakerOptions): Pacemaker {
  const { beat, failed, clock, random } = options;
  let stopped = false;
  let asked = false;
  let lastBegan = 0;
  let wake: ((because: 'time' | 'new plan') => void) | undefined;

  const wait = (ms: number) =>
    new Promise<'time' | 'new plan'>((resolve) => {
      const done = (because: 'time' | 'new plan') => {
        clearTimeout(timer);
        wake = undefined;
        resolve(because);
      };
      const timer = setTimeout(done, ms, 'time');
      wake = done;
      if (asked || stopped) done('time');
    });

  const pause = async (failures: number) => {
    while ((await wait(untilNext(failures))) === 'new plan');
  };

  const untilNext = (failures: number): number => {
    if (failures > 0) return backoffMs(backoff, failures, random());
    const regular = options.intervalMs() * (0.9 + random() / 5);
    const due = options.nextDue();
    // What was due when the last round began was not mended by it.
    return due > lastBegan ? Math.min(regular, Math.max(0, due - clock.now())) : Math.min(regular, overdueMs);
  };

  const run = async () => {
    for (let failures = 0; !stopped; ) {
      asked = false;
      lastBegan = clock.now();
      try {
        await beat();
        failures = 0;
      } catch (error) {
        failures++;
        if (!stopped) failed(error);
      }
      await pause(failures);
    }
  };
  const ended = run();
  return {
    soon() {
      asked = true;
      wake?.('time');
    },
    replan: () => wake?.('new plan'),
    stop() {
      stopped = true;
      wake?.('time');
      return ended;
    },
  };
}
