import { randomUUID } from 'node:crypto';
import { connectStore, type StoreOptions } from './connect.js';
import type { StoreCounts } from './counts.js';

/**
 * Takes over a store that is as a backup had it: brings it to the schema of this program and moves it on, so that a server can
 * go on with it in the place of the lost one (move-forward.ts). Gives what was in it. Throws STO0xxx.
 */
export async function takeOverRestored(options: StoreOptions): Promise<StoreCounts> {
  const { run, close } = await connectStore(options);
  try {
    const counts = await run('storeCounts');
    await run('moveForward', randomUUID(), options.clock.now());
    return counts;
  } finally {
    await close();
  }
}
