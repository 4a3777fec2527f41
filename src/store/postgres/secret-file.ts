import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { fault } from '../../base/faults/fault.js';
import { accessOf, ownUid, systemErrorCode } from '../../disk/private-file.js';

/**
 * Reads a file that may hold a password; `undefined` when there is none. One that others may read or change is refused, as
 * PostgreSQL's own programs refuse a key; a file of root may be readable by its group, since that is how a secret reaches
 * a user. Throws STO0303, STO0304.
 */
export function readSecretFile(path: string): string | undefined {
  try {
    const file = openSync(path, 'r');
    try {
      const stats = fstatSync(file);
      const isRoots = stats.uid === 0;
      if (stats.mode & (isRoots ? 0o027 : 0o077) || (!isRoots && stats.uid !== ownUid())) {
        throw fault('STO0303', { path, ...accessOf(stats) });
      }
      return readFileSync(file, 'utf8');
    } finally {
      closeSync(file);
    }
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT') return undefined;
    throw code === undefined ? error : fault('STO0304', { path, problem: code }, { cause: error });
  }
}

/** The same for a file that must be there. */
export function requireSecretFile(path: string): string {
  const text = readSecretFile(path);
  if (text === undefined) throw fault('STO0304', { path, problem: 'there is no such file' });
  return text;
}
