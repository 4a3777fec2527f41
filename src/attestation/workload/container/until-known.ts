import { setTimeout as sleep } from 'node:timers/promises';

/** How often, and how far apart, something is asked that does not know a new container yet. */
export interface Patience {
  readonly attempts: number;
  readonly intervalMs: number;
}

/** Asks until there is an answer, the caller is gone, or patience ends; then `undefined`. */
export async function untilKnown<Answer>(
  { attempts, intervalMs }: Patience,
  isWanted: () => boolean,
  ask: () => Promise<Answer | undefined>,
): Promise<Answer | undefined> {
  for (let attempt = 1; isWanted(); attempt++) {
    const answer = await ask();
    if (answer !== undefined || attempt >= attempts) return answer;
    await sleep(intervalMs);
  }
  return undefined;
}
