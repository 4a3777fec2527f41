import { closeSync, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { fault } from '../base/faults/fault.js';

/**
 * Makes sure that a database file is there, in a folder that nobody else can write to, and that nobody else can read it.
 * It is made before SQLite opens it, because SQLite's other files take its mode. Throws STO0101, STO0102.
 */
export function ensurePrivateFile(path: string): void {
  const folder = dirname(path);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    refuseIf(folder, 0o022);
    createIfMissing(path, folder);
    refuseIf(path, 0o077);
  } catch (error) {
    const code = error instanceof Error && 'code' in error && 'syscall' in error ? error.code : undefined;
    throw code === undefined ? error : fault('STO0101', { path, code: String(code) }, { cause: error });
  }
}

function createIfMissing(path: string, folder: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return;
    throw error;
  }
  const handle = openSync(folder, 'r');
  fsyncSync(handle);
  closeSync(handle);
}

function refuseIf(path: string, bits: number): void {
  const { mode, uid } = statSync(path);
  if ((mode & bits) === 0 && (uid === process.geteuid?.() || uid === 0)) return;
  throw fault('STO0102', { path, mode: (mode & 0o777).toString(8).padStart(4, '0'), uid });
}
