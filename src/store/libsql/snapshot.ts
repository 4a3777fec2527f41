import { open, rm } from 'node:fs/promises';
import type { StoreSnapshot } from '../../server/ports.js';
import { schema } from '../schema.js';

/**
 * A snapshot in the file `path`, which `copy` fills. The file loses its name as soon as it is open, so it ends with the
 * snapshot, or with the process.
 */
export async function takeSnapshot(path: string, copy: () => Promise<unknown>): Promise<StoreSnapshot> {
  // Left behind by a crash.
  await rm(path, { force: true });
  await copy();
  const file = await open(path, 'r');
  try {
    await rm(path);
    const { size } = await file.stat();
    return {
      schemaVersion: schema.length,
      size,
      read: () => file.createReadStream({ highWaterMark: chunkSize }),
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

const chunkSize = 256 * 1024;
