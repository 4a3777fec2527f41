/** Milliseconds before the second try, and the longest wait. */
export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
}

/**
 * How long to wait after so many failures in a row (1 or more): twice as long each time, up to the longest, less up to a half
 * by `random` (in [0, 1)), so that a fleet does not come back as one. Milliseconds.
 */
export function backoffMs({ firstMs, maxMs }: Backoff, failures: number, random: number): number {
  return Math.min(maxMs, firstMs * 2 ** Math.min(failures - 1, 20)) * (0.5 + random / 2);
}
