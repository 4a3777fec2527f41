import { closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { fault } from '../../base/faults/fault.js';
import {
  accessOf,
  anyAccessOfOthers,
  changesByOthers,
  isOpenToOthers,
  syncFolder,
  systemErrorCode,
} from '../../disk/private-file.js';

/**
 * Makes sure that a database file is there, in a folder that nobody else can write to, and that nobody else can read it.
 * It is made before SQLite opens it, because SQLite's other files take its mode. Throws STO0101, STO0102.
 */
export function ensureDatabaseFile(path: string): void {
  const folder = dirname(path);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    refuseIf(folder, changesByOthers);
    createIfMissing(path, folder);
    refuseIf(path, anyAccessOfOthers);
  } catch (error) {
    const code = systemErrorCode(error);
    throw code === undefined ? error : fault('STO0101', { path, code }, { cause: error });
  }
}

function createIfMissing(path: string, folder: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return;
    throw error;
  }
  syncFolder(folder);
}

function refuseIf(path: string, bits: number): void {
  const stats = statSync(path);
  if (isOpenToOthers(stats, bits)) throw fault('STO0102', { path, ...accessOf(stats) });
}
