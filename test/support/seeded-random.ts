import { createHash } from 'node:crypto';

/** Numbers in [0, 1) that depend on the seed alone. */
export function seededRandom(seed: string): () => number {
  let count = 0;
  return () => createHash('sha256').update(`${seed}:${count++}`).digest().readUInt32BE(0) / 2 ** 32;
}
