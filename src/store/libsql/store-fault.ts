import { type Fault, fault } from '../../base/faults/fault.js';

/** Puts what libsql throws into the words of the fault table; anything that it did not throw is a bug and stays as it is. */
export function storeFault(error: unknown, path: string): unknown {
  const code = sqliteCode(error);
  return code === undefined ? error : faultOf(code, path, error);
}

/** The primary result code (https://www.sqlite.org/rescode.html); the rest of `rawCode` only refines it. */
function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('rawCode' in error && typeof error.rawCode === 'number') return error.rawCode & 0xff;
  // An open that fails says its code only in its text.
  const opening = /^ConnectionFailed\(.*: (\d+)"?\)$/.exec(error.message)?.[1];
  return opening === undefined ? undefined : Number(opening) & 0xff;
}

function faultOf(code: number, path: string, cause: unknown): Fault {
  switch (code) {
    case sqlite.busy:
    case sqlite.locked:
      return fault('STO0103', { path }, { cause });
    case sqlite.full:
      return fault('STO0201', { path }, { cause });
    case sqlite.readonly:
    case sqlite.permission:
      return fault('STO0202', { path }, { cause });
    case sqlite.corrupt:
    case sqlite.notADatabase:
      return fault('STO0106', { path }, { cause });
    default:
      return fault('STO0203', { path, code }, { cause });
  }
}

const sqlite = { permission: 3, busy: 5, locked: 6, readonly: 8, corrupt: 11, full: 13, notADatabase: 26 };
