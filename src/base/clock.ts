/** The time as the rooms see it, handed in so that tests can stand at any instant. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };
