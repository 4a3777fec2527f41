import { createHash } from 'node:crypto';
import { type BigIntStats, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

const chunkBytes = 1 << 20;
const maxRemembered = 1024;

/** The SHA-256 of a running process's executable, in lower-case hexadecimal; `undefined` when it cannot be told. */
export type HashOfExecutable = (process: { pid: number; uid: number }) => Promise<string | undefined>;

/**
 * Hashes executables through `/proc/<pid>/exe`, so the very file that runs is read whatever its name shows by now. A hash
 * is remembered by device, inode, size, and both times (the change time cannot be forged by the file's owner); the oldest
 * of 1024 is forgotten. For each user one file is read at a time, a piece at a time: a crowd of new executables of one user
 * holds up that user alone, and has one file open (S23).
 */
export function fileHashes(options: { maxBytes: number; proc: string }): HashOfExecutable {
  const known = new Map<string, string>();
  const remember = (key: string, hash: string) => {
    known.set(key, hash);
    const oldest = known.size > maxRemembered ? known.keys().next().value : undefined;
    if (oldest !== undefined) known.delete(oldest);
  };
  const look = async (link: string) => {
    const file = await open(link, 'r');
    try {
      const { size } = await file.stat();
      if (size > options.maxBytes) return undefined;
      const key = await keyOf(file);
      const hash = known.get(key) ?? (await hashOf(file));
      // It changed while it was read.
      if ((await keyOf(file)) !== key) return undefined;
      remember(key, hash);
      return hash;
    } finally {
      await file.close();
    }
  };
  const inTurn = turns<number>();
  return async ({ pid, uid }) => {
    const link = `${options.proc}/${pid}/exe`;
    try {
      // Most callers run a file that is known: one look, no turn, and no turn of the thread pool either.
      const seen = known.get(keyIn(statSync(link, { bigint: true })));
      return seen ?? (await inTurn(uid, () => look(link)));
    } catch {
      return undefined;
    }
  };
}

/** Work of the same owner is done one after another, work of several owners side by side. */
function turns<Owner>(): <T>(owner: Owner, work: () => Promise<T>) => Promise<T> {
  const last = new Map<Owner, Promise<unknown>>();
  return (owner, work) => {
    const before = last.get(owner) ?? Promise.resolve();
    const mine = before.then(work, work);
    last.set(owner, mine);
    const leave = () => last.get(owner) === mine && last.delete(owner);
    mine.then(leave, leave);
    return mine;
  };
}

async function hashOf(file: FileHandle): Promise<string> {
  const hash = createHash('sha256');
  const chunk = Buffer.allocUnsafe(chunkBytes);
  for (let at = 0; ; ) {
    const { bytesRead } = await file.read(chunk, 0, chunkBytes, at);
    if (bytesRead === 0) return hash.digest('hex');
    hash.update(chunk.subarray(0, bytesRead));
    at += bytesRead;
  }
}

async function keyOf(file: FileHandle): Promise<string> {
  return keyIn(await file.stat({ bigint: true }));
}

function keyIn({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(':');
}
