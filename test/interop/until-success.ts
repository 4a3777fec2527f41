import { setTimeout as sleep } from 'node:timers/promises';

/** Tries until it succeeds, for fifteen seconds; then its last failure is this one's. */
export async function untilSuccess<Result>(attempt: () => Promise<Result>): Promise<Result> {
  for (let left = 75; ; left--) {
    try {
      return await attempt();
    } catch (error) {
      if (left === 0) throw error;
      await sleep(200);
    }
  }
}
