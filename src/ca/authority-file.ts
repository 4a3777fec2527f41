import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  type Stats,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { fault, isFault } from '../base/faults/fault.js';
import {
  accessOf,
  changesByOthers,
  isOpenToOthers,
  isOursAlone,
  systemErrorCode,
  writePrivateFile,
} from '../disk/private-file.js';
import type { TrustDomain } from '../spiffe/id.js';
import { authoritiesFromPem, authoritiesToPem } from './authority-pem.js';
import type { AuthoritySet } from './authority-set.js';
import type { KeyManager } from './key-manager.js';

/** Of the file, in the data directory of a server. */
export const authoritiesName = 'authorities.pem';

/**
 * Writes authorities with their private keys to one file that only its owner can read. After a crash at any moment there is
 * the old file or the new one, whole. Makes the folder (0700) if it is not there. Throws CAS0302, CAS0303.
 */
export async function saveAuthorities(path: string, authorities: AuthoritySet): Promise<void> {
  const folder = dirname(path);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    checkFolder(folder);
    await writePrivateFile(path, authoritiesToPem(authorities));
  } catch (error) {
    throw explained(error, path);
  }
}

/**
 * Reads what `saveAuthorities` wrote; `undefined` when there is no such file. A file that anybody but its owner may read or
 * write is refused: its keys are no secret any more. Throws what `authoritiesFromPem` throws, and CAS0302, CAS0303.
 */
export async function loadAuthorities(
  path: string,
  trustDomain: TrustDomain,
  keys: KeyManager,
): Promise<AuthoritySet | undefined> {
  try {
    const pem = readPrivateFile(path);
    checkFolder(dirname(path));
    return await authoritiesFromPem(trustDomain, keys, pem);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw explained(error, path);
  }
}

/** Whoever may write to the folder can put another file in the place of ours. */
function checkFolder(folder: string): void {
  const stats = statSync(folder);
  if (isOpenToOthers(stats, changesByOthers)) throw exposed(folder, stats);
}

function readPrivateFile(path: string): string {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const stats = fstatSync(file);
    if (!isOursAlone(stats)) throw exposed(path, stats);
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}

const exposed = (path: string, stats: Stats) => fault('CAS0302', { path, ...accessOf(stats) });

function explained(error: unknown, path: string): unknown {
  const code = systemErrorCode(error);
  return isFault(error) || code === undefined ? error : fault('CAS0303', { path, code }, { cause: error });
}
