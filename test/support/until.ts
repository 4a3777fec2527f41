import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until something holds. That it never does is found by the time limit of the whole test run. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(5);
}
