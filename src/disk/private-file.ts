import { closeSync, fsyncSync, openSync, type Stats } from 'node:fs';
import { open, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** The bits of a file's mode that let others than its owner read, write or run it. */
export const anyAccessOfOthers = 0o077;

/** The bits of a folder's mode that let others than its owner put another file in the place of one of its files. */
export const changesByOthers = 0o022;

/**
 * Writes a file (0600) that only its owner can read. After a crash at any moment there is the old file or the new one, whole.
 * It waits for the disk beside the main thread, since a disk that hangs must not hold up every stream. One write of a path at a
 * time. Throws the errors of the operating system, and those of `contents`.
 */
export async function writePrivateFile(
  path: string,
  contents: string | Uint8Array | AsyncIterable<Uint8Array>,
): Promise<void> {
  const temporary = `${path}.new`;
  // Left behind by a crash. The new one is made exclusively: never through a link that somebody put there.
  await rm(temporary, { force: true });
  try {
    await writeFile(temporary, contents, { mode: 0o600, flag: 'wx', flush: true });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Until then, a file made or renamed in the folder can be gone after a crash. */
export function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

export const ownUid = (): number | undefined => process.geteuid?.();

/** Whether somebody who is neither us nor root has some of this access, as the owner or by the mode. */
export const isOpenToOthers = ({ mode, uid }: Stats, access: number): boolean =>
  (mode & access) !== 0 || (uid !== ownUid() && uid !== 0);

/** Whether it is ours and nobody else has any access, as it must be for what we wrote ourselves. */
export const isOursAlone = ({ mode, uid }: Stats): boolean =>
  (mode & anyAccessOfOthers) === 0 && uid === ownUid();

/** Who has access, as an operator reads it: `0644` and the uid of the owner. */
export const accessOf = ({ mode, uid }: Stats): { mode: string; uid: number } => ({
  mode: (mode & 0o777).toString(8).padStart(4, '0'),
  uid,
});

/** The name of an error of the operating system, such as `ENOSPC`; `undefined` for any other error. */
export function systemErrorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && 'syscall' in error ? String(error.code) : undefined;
}
