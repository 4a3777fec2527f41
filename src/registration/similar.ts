import type { Entry } from './entry.js';
import { formatSelector } from './selector.js';

/** Two entries with the same key are similar in SPIRE's sense, and the server refuses the second. */
export function similarityKey(entry: Pick<Entry, 'spiffeId' | 'parentId' | 'selectors'>): string {
  return JSON.stringify([entry.spiffeId, entry.parentId, entry.selectors.map(formatSelector)]);
}
