import { sha256Hex } from '../base/digest.js';
import { fault } from '../base/faults/fault.js';
import type { EntryContent } from './entry.js';
import { similarityKey } from './similar.js';

// Whom an entry belongs to is said by its ID alone, so that nothing has to be remembered beside the entries:
// `applied-NAME` came from a file, `applied.OWNER.NAME` from a file that names its owner; everybody else's IDs are free.

/** What the IDs of an owner's entries start with; of files that name none without an argument. */
export function ownerPrefix(owner?: string): string {
  return owner === undefined ? 'applied-' : `applied.${owner}.`;
}

/** The prefix of whoever applied the entry with this ID, or `undefined` for one that no file made. */
export function prefixOf(id: string): string | undefined {
  return /^applied(?:-|\.[a-z0-9-]+\.)/.exec(id)?.[0];
}

/** Throws REG0212. */
export function checkOwner(owner: string): string {
  if (!/^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/.test(owner)) throw fault('REG0212', { owner });
  return owner;
}

/** The same for the same entry whoever applies it, so that two applies at once cannot make it twice. */
export function unnamedId(prefix: string, content: EntryContent): string {
  return `${prefix}${sha256Hex(similarityKey(content)).slice(0, 32)}`;
}
