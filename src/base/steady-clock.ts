import type { Clock } from './clock.js';

/** What a clock shows, and how far it can be believed. */
export interface ClockReading {
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  /** Milliseconds for which the clock has gone as fast as time does, since the watch began or the clock last jumped. */
  readonly steadyMs: number;
  /** Milliseconds by which the clock jumped since the last reading; negative when it went back, 0 when it did not jump. */
  readonly jumpMs: number;
}

/** Less is what clocks are corrected by, and what back-dated certificates bear. */
const toleranceMs = 10_000;

/**
 * Watches a clock beside one that cannot be set: whoever reads it about once a second learns when it jumped, because somebody
 * set it or because the machine slept. `uptime` is that other clock, in milliseconds.
 */
export function watchClock(clock: Clock, uptime: () => number = () => performance.now()): () => ClockReading {
  let last = { now: clock.now(), uptime: uptime() };
  let steadySince = last.uptime;
  return () => {
    const read = { now: clock.now(), uptime: uptime() };
    const ahead = read.now - last.now - (read.uptime - last.uptime);
    const jumpMs = Math.abs(ahead) > toleranceMs ? ahead : 0;
    if (jumpMs !== 0) steadySince = read.uptime;
    last = read;
    return { now: read.now, steadyMs: read.uptime - steadySince, jumpMs };
  };
}
