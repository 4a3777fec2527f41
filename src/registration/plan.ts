import { sha256Hex } from '../base/digest.js';
import type { Entry, EntryContent, EntryDraft } from './entry.js';
import { formatSelector } from './selector.js';

/** What it takes to make the server's entries say what the files say. */
export interface EntryPlan {
  readonly create: readonly (EntryContent & { readonly id: string })[];
  readonly update: readonly (EntryContent & { readonly id: string })[];
  readonly unchanged: readonly Entry[];
  /** Entries that an earlier apply made and no file has any more. Only deleted when asked to. */
  readonly surplus: readonly Entry[];
}

/**
 * Compares entries from files with those of the server. An entry is the same one when its `id` is, or else when SPIFFE ID,
 * parent and selectors are.
 */
export function planEntries(wanted: readonly EntryDraft[], existing: readonly Entry[]): EntryPlan {
  const byId = new Map(existing.map((entry) => [entry.id, entry]));
  const byKey = new Map(existing.map((entry) => [similarityKey(entry), entry]));
  const kept = new Set<string>();
  const plan = {
    create: [] as IdentifiedContent[],
    update: [] as IdentifiedContent[],
    unchanged: [] as Entry[],
  };
  for (const draft of wanted) {
    const present = byId.get(draft.id ?? '') ?? byKey.get(similarityKey(draft));
    const id = present?.id ?? draft.id ?? appliedId(draft);
    kept.add(id);
    if (!present) plan.create.push({ ...draft, id });
    else if (sameContent(draft, present)) plan.unchanged.push(present);
    else plan.update.push({ ...draft, id });
  }
  return { ...plan, surplus: existing.filter(({ id }) => id.startsWith(appliedPrefix) && !kept.has(id)) };
}

/** Two entries with the same key are similar in SPIRE's sense, and the server refuses the second. */
export function similarityKey(entry: Pick<Entry, 'spiffeId' | 'parentId' | 'selectors'>): string {
  return JSON.stringify([entry.spiffeId, entry.parentId, entry.selectors.map(formatSelector)]);
}

/** What the ID of an entry starts with that came from a file. */
export const appliedPrefix = 'applied-';

type IdentifiedContent = EntryContent & { readonly id: string };

/** The same for the same entry whoever applies it, so that two applies at once cannot make it twice. */
function appliedId(draft: EntryDraft): string {
  return `${appliedPrefix}${sha256Hex(similarityKey(draft)).slice(0, 32)}`;
}

function sameContent(wanted: EntryDraft, present: Entry): boolean {
  return JSON.stringify(contentOf(wanted)) === JSON.stringify(contentOf(present));
}

function contentOf(entry: EntryContent): unknown[] {
  return [
    similarityKey(entry),
    entry.x509SvidTtl,
    entry.jwtSvidTtl,
    entry.dnsNames,
    entry.federatesWith,
    entry.admin,
    entry.downstream,
    entry.hint,
    entry.expiresAt,
  ];
}
