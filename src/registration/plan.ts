import type { Entry, EntryContent } from './entry.js';
import { entryChanges, type FieldChange } from './entry-changes.js';
import { prefixOf } from './ownership.js';
import { similarityKey } from './similar.js';

/** What somebody wants to be there, under the ID that it gets when it is made. */
export type IdentifiedContent = EntryContent & { readonly id: string };

/** What it takes to make the server's entries say what the files say. */
export interface EntryPlan {
  /** After the updates: one may free what another is to have. */
  readonly create: readonly IdentifiedContent[];
  readonly update: readonly EntryUpdate[];
  readonly unchanged: readonly Entry[];
  /** Wanted otherwise than they are, but not ours to change: other files made them. */
  readonly conflicts: readonly EntryUpdate[];
  /** Entries that an earlier apply of the same owners made and no file has any more. Only deleted when asked to. */
  readonly surplus: readonly Entry[];
}

export interface EntryUpdate {
  readonly present: Entry;
  readonly wanted: IdentifiedContent;
  readonly changes: readonly FieldChange[];
}

/**
 * Compares entries from files with those of the server. An entry is the same one when its ID is, or else when SPIFFE ID,
 * parent and selectors are: so one that somebody made by hand is taken over, never made twice. `prefixes` are those of the
 * owners that the files speak for.
 */
export function planEntries(
  wanted: readonly IdentifiedContent[],
  prefixes: readonly string[],
  existing: Iterable<Entry>,
): EntryPlan {
  const present = [...existing];
  const same = matched(wanted, present);
  const kept = new Set([...same.values()].map(({ id }) => id));
  const plan = {
    create: [] as IdentifiedContent[],
    update: [] as EntryUpdate[],
    unchanged: [] as Entry[],
    conflicts: [] as EntryUpdate[],
  };
  for (const content of wanted) {
    const entry = same.get(content);
    if (!entry) {
      plan.create.push(content);
      continue;
    }
    const update = { present: entry, wanted: content, changes: entryChanges(entry, content) };
    const owner = prefixOf(entry.id);
    if (update.changes.length === 0) plan.unchanged.push(entry);
    else if (owner !== undefined && !prefixes.includes(owner)) plan.conflicts.push(update);
    else plan.update.push(update);
  }
  const isSurplus = ({ id }: Entry) => prefixes.includes(prefixOf(id) ?? '') && !kept.has(id);
  return { ...plan, surplus: present.filter(isSurplus) };
}

/** For each content the entry that it is about: by ID first, so that none is taken by another one that only looks like it. */
function matched(
  wanted: readonly IdentifiedContent[],
  present: readonly Entry[],
): Map<IdentifiedContent, Entry> {
  const byId = new Map(present.map((entry) => [entry.id, entry]));
  const byKey = new Map(present.map((entry) => [similarityKey(entry), entry]));
  const same = new Map<IdentifiedContent, Entry>();
  const taken = new Set<string>();
  const take = (content: IdentifiedContent, entry: Entry | undefined) => {
    if (!entry || same.has(content) || taken.has(entry.id)) return;
    same.set(content, entry);
    taken.add(entry.id);
  };
  for (const content of wanted) take(content, byId.get(content.id));
  for (const content of wanted) take(content, byKey.get(similarityKey(content)));
  return same;
}
