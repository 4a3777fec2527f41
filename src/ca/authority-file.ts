import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { fault, isFault } from '../base/faults/fault.js';
import type { TrustDomain } from '../spiffe/id.js';
import type { Authority } from './authority.js';
import { authoritiesFromPem, authoritiesToPem } from './authority-pem.js';

/**
 * Writes authorities with their private keys to one file that only its owner can read. After a crash at any moment there is
 * the old file or the new one, whole. Makes the folder (0700) if it is not there. Throws CAS0302, CAS0303.
 */
export function saveAuthorities(path: string, authorities: readonly Authority[]): void {
  const folder = dirname(path);
  const temporary = `${path}.new`;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    checkFolder(folder);
    // Left behind by a crash. The new one is made exclusively, so that it is ours and has this mode.
    rmSync(temporary, { force: true });
    withFile(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, (file) => {
      writeFileSync(file, authoritiesToPem(authorities));
      fsyncSync(file);
    });
    renameSync(temporary, path);
    withFile(folder, constants.O_RDONLY | constants.O_DIRECTORY, fsyncSync);
  } catch (error) {
    throw explained(error, path);
  }
}

/**
 * Reads what `saveAuthorities` wrote; `undefined` when there is no such file. A file that anybody but its owner may read or
 * write is refused: its keys are no secret any more. Throws what `authoritiesFromPem` throws, and CAS0302, CAS0303.
 */
export function loadAuthorities(path: string, trustDomain: TrustDomain): Authority[] | undefined {
  try {
    const pem = withFile(path, constants.O_RDONLY | constants.O_NOFOLLOW, (file) => {
      const stats = fstatSync(file);
      if (stats.mode & 0o077 || stats.uid !== ownUid()) throw exposed(path, stats);
      return readFileSync(file, 'utf8');
    });
    checkFolder(dirname(path));
    return authoritiesFromPem(trustDomain, pem);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw explained(error, path);
  }
}

/** Whoever may write to the folder can put another file in the place of ours. */
function checkFolder(folder: string): void {
  const stats = statSync(folder);
  if (stats.mode & 0o022 || (stats.uid !== ownUid() && stats.uid !== 0)) throw exposed(folder, stats);
}

function withFile<T>(path: string, flags: number, use: (file: number) => T): T {
  const file = openSync(path, flags, 0o600);
  try {
    return use(file);
  } finally {
    closeSync(file);
  }
}

const ownUid = (): number | undefined => process.geteuid?.();

const exposed = (path: string, { mode, uid }: Stats) =>
  fault('CAS0302', { path, mode: (mode & 0o777).toString(8).padStart(4, '0'), uid });

function explained(error: unknown, path: string): unknown {
  const code = errorCode(error);
  return isFault(error) || code === undefined ? error : fault('CAS0303', { path, code }, { cause: error });
}

/** The name of an error of the operating system: `ENOSPC`. */
function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && 'syscall' in error ? String(error.code) : undefined;
}
