import { createHash } from 'node:crypto';
import { type BigIntStats, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

const chunkBytes = 1 << 20;
const maxRemembered = 1024;

/** The SHA-256 of a running process's executable, in lower-case hexadecimal; `undefined` when it cannot be told. */
export type HashOfExecutable = (pid: number) => Promise<string | undefined>;

/**
 * Hashes executables through `/proc/<pid>/exe`, so the very file that runs is read whatever its name shows by now. A hash
 * is remembered by device, inode, size, and both times (the change time cannot be forged by the file's owner); the oldest
 * of 1024 is forgotten. Files are read one after another, so a crowd of new executables costs one core at most (S23).
 */
export function fileHashes(options: { maxBytes: number; proc: string }): HashOfExecutable {
  const known = new Map<string, Promise<string | undefined>>();
  let last: Promise<unknown> = Promise.resolve();

  const remember = (key: string, file: FileHandle): Promise<string | undefined> => {
    const hash = last.then(() => hashOf(file, key)).catch(() => undefined);
    last = hash;
    known.set(key, hash);
    const oldest = known.size > maxRemembered ? known.keys().next().value : undefined;
    if (oldest !== undefined) known.delete(oldest);
    hash.then((found) => found === undefined && known.delete(key));
    return hash;
  };

  return async (pid) => {
    const link = `${options.proc}/${pid}/exe`;
    // Most callers run a file that is known: one look, and no turn of the thread pool.
    const seen = known.get(keyIn(statSync(link, { bigint: true, throwIfNoEntry: false })));
    if (seen) return seen;
    const file = await open(link, 'r').catch(() => undefined);
    if (!file) return undefined;
    try {
      const { size } = await file.stat();
      if (size > options.maxBytes) return undefined;
      const key = await keyOf(file);
      return await (known.get(key) ?? remember(key, file));
    } finally {
      await file.close();
    }
  };
}

/** `undefined` when the file changed while it was read. */
async function hashOf(file: FileHandle, key: string): Promise<string | undefined> {
  const hash = createHash('sha256');
  const chunk = Buffer.allocUnsafe(chunkBytes);
  for (let at = 0; ; ) {
    const { bytesRead } = await file.read(chunk, 0, chunkBytes, at);
    if (bytesRead === 0) break;
    hash.update(chunk.subarray(0, bytesRead));
    at += bytesRead;
  }
  return (await keyOf(file)) === key ? hash.digest('hex') : undefined;
}

async function keyOf(file: FileHandle): Promise<string> {
  return keyIn(await file.stat({ bigint: true }));
}

function keyIn(stats: BigIntStats | undefined): string {
  return stats ? [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(':') : '';
}
