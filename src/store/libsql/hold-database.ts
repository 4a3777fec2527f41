import { existsSync } from 'node:fs';
import { isFault } from '../../base/faults/fault.js';
import { openDatabase } from './database.js';
import { storeFault } from './store-fault.js';

/**
 * Keeps others from opening a database file until the returned function is called; a file that is missing or no database has
 * nobody who could. Throws STO0103 when somebody has it open.
 */
export function holdDatabase(path: string): () => void {
  if (!existsSync(path)) return () => {};
  try {
    const database = openDatabase(path);
    database.exec('begin immediate');
    database.exec('commit');
    return () => database.close();
  } catch (error) {
    const known = storeFault(error, path);
    if (isFault(known, 'STO0103')) throw known;
    return () => {};
  }
}
