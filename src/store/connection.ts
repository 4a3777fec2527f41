import type { StoreSnapshot } from '../server/ports.js';
import type { UnitArgs, UnitName, UnitResult } from './units.js';

/** A database, as the store uses it. */
export interface Connection {
  /**
   * Runs a unit of work; resolves once it is durable. Units of one connection happen one after another, and their results
   * arrive in that order: what is said later is never older. Rejects with STO02xx or STO04xx, and then nothing of it
   * happened (save STO0402, which says that nobody knows).
   */
  run<Name extends UnitName>(name: Name, ...args: UnitArgs<Name>): Promise<UnitResult<Name>>;
  /** Calls `look` whenever something may have been written, by this server or another one, until it is stopped. */
  watch(look: () => void): () => Promise<void>;
  /** All of it at one moment; a database that has tools of its own for that has none. Rejects with STO02xx. */
  readonly snapshot?: () => Promise<StoreSnapshot>;
  /** Lets everything that was asked for end, then lets go of the database. */
  close(): Promise<void>;
}
