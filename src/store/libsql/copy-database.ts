import { closeSync, openSync, rmSync } from 'node:fs';
import { fault } from '../../base/faults/fault.js';
import { systemErrorCode } from '../../disk/private-file.js';
import type { Outcome } from '../outcome.js';
import type { Database } from './database.js';

/** Copies a database, as it is at this moment, into a new file that only its owner can read; a failure leaves no file behind. */
export function copyDatabase(database: Database, path: string): Outcome {
  try {
    // Made before SQLite fills it, because SQLite would let others read it.
    closeSync(openSync(path, 'wx', 0o600));
    database.all(['vacuum into ?', [path]]);
    return { ok: true, value: undefined };
  } catch (error) {
    rmSync(path, { force: true });
    const code = systemErrorCode(error);
    return {
      ok: false,
      error: code === undefined ? error : fault('STO0509', { path, code }, { cause: error }),
    };
  }
}
