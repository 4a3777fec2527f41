import { setImmediate } from 'node:timers/promises';
import { fillOrder, type Signer, type SvidOrder } from './order.js';
import type { Outcome } from './thread.js';

/** How many signatures of one call are asked for at a time. */
const atATime = 8;

/** Reads CSRs on this thread, others taking turns, and has the SVIDs signed by a key elsewhere. One outcome an order. */
export async function issueWithRemoteKey(
  signer: Signer,
  orders: readonly SvidOrder[],
  now: number,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (let at = 0; at < orders.length; at += atATime) {
    const turn = orders.slice(at, at + atATime).map((order) => fillOrder(signer, order, now).catch(asError));
    outcomes.push(...(await Promise.all(turn)));
    await setImmediate();
  }
  return outcomes;
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
