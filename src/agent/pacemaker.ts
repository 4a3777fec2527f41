import type { Clock } from '../base/clock.js';

export interface PacemakerOptions {
  /** One round; rejects when it failed. Never started while another is running. */
  beat: () => Promise<void>;
  failed: (error: unknown) => void;
  /** Milliseconds between the end of a good round and the next, give or take a tenth. */
  intervalMs: number;
  /** When something wants a round of its own, in milliseconds since the Unix epoch; the past does not count. */
  nextDue: () => number;
  clock: Clock;
  random: () => number;
}

export interface Pacemaker {
  /** A round now, or right after the one that is running. */
  soon(): void;
  /** No further round; resolves when the running one has ended. */
  stop(): Promise<void>;
}

const firstBackoffMs = 250;
const maxBackoffMs = 30_000;

/**
 * Repeats a round for ever: regularly while it succeeds, sooner when something falls due, with exponential backoff while it
 * fails (250 ms to 30 s, jittered so that a fleet does not come back as one).
 */
export function createPacemaker(options: PacemakerOptions): Pacemaker {
  const { beat, failed, clock, random } = options;
  let stopped = false;
  let asked = false;
  let wake: (() => void) | undefined;

  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        wake = undefined;
        resolve();
      };
      const timer = setTimeout(done, ms);
      wake = done;
      if (asked || stopped) done();
    });

  const untilNext = (failures: number): number => {
    if (failures > 0) {
      const longest = Math.min(maxBackoffMs, firstBackoffMs * 2 ** Math.min(failures - 1, 20));
      return longest * (0.5 + random() / 2);
    }
    const regular = options.intervalMs * (0.9 + random() / 5);
    const due = options.nextDue() - clock.now();
    // What is overdue already was not mended by the round that just ended.
    return due > 0 ? Math.min(regular, due) : regular;
  };

  const run = async () => {
    for (let failures = 0; !stopped; ) {
      asked = false;
      try {
        await beat();
        failures = 0;
      } catch (error) {
        failures++;
        if (!stopped) failed(error);
      }
      await pause(untilNext(failures));
    }
  };
  const ended = run();
  return {
    soon() {
      asked = true;
      wake?.();
    },
    stop() {
      stopped = true;
      wake?.();
      return ended;
    },
  };
}
