import { type Fault, fault } from '../base/faults/fault.js';
import { placeOf, type SourceFile } from '../base/source.js';
import { type LoadedEntries, loadEntries, type PlacedEntry } from '../registration/entries-file.js';
import { type EntryPlan, type IdentifiedContent, planEntries } from '../registration/plan.js';
import type { TrustDomain } from '../spiffe/id.js';
import type { Log } from '../telemetry/log.js';
import { entryRefusal } from './entry-refusal.js';
import type { Registry } from './registry.js';

export interface ApplyContext {
  readonly registry: Registry;
}

/** Entries from files that nothing is wrong with. */
export type GoodEntries = Pick<LoadedEntries, 'prefixes'> & { readonly entries: readonly PlacedEntry[] };

export interface AppliedEntries {
  readonly plan: EntryPlan;
  /** What could not be had now. It hindered nothing else. */
  readonly refusals: readonly Refusal[];
}

interface Refusal {
  readonly content: IdentifiedContent;
  readonly problem: Fault;
}

/**
 * Creates and updates what a file says, at the start of a server; what it does not say stays as it is. Throws REG0303 when
 * anything is wrong with the file, and then nothing was changed.
 */
export async function applyEntriesFile(
  file: SourceFile,
  { trustDomain, log, ...context }: ApplyContext & { trustDomain: TrustDomain; log: Log },
): Promise<void> {
  const { entries, prefixes, diagnostics } = loadEntries([file], trustDomain);
  if (entries) {
    logApplied(await applyEntries({ entries, prefixes }, context), entries, log);
    return;
  }
  logMistakes(diagnostics, log);
  const [first] = diagnostics;
  const problem = first ? `${placeOf(first.at)}: ${first.message}` : '';
  throw fault('REG0303', { path: file.path, problem });
}

/** Makes the entries what files say, and deletes nothing. Applied again, it changes nothing. */
export async function applyEntries(
  { entries, prefixes }: GoodEntries,
  { registry }: ApplyContext,
): Promise<AppliedEntries> {
  const contents = entries.map(({ content }) => content);
  const plan = planEntries(contents, prefixes, registry.entries());
  const refusals: Refusal[] = plan.conflicts.map(({ wanted, present }) => ({
    content: wanted,
    problem: fault('REG0304', { id: present.id }),
  }));
  const changes = plan.update.map(({ present, wanted: { id: _, ...change } }) => ({
    id: present.id,
    change,
  }));
  const updated = changes.length > 0 ? await registry.updateEntries(changes) : [];
  const created = plan.create.length > 0 ? await registry.createEntries(plan.create) : [];
  const outcomes = [...updated, ...created];
  for (const [at, content] of [...plan.update.map(({ wanted }) => wanted), ...plan.create].entries()) {
    const problem = entryRefusal(outcomes[at], content.id);
    if (problem) refusals.push({ content, problem });
  }
  return { plan, refusals };
}

export function logMistakes(diagnostics: LoadedEntries['diagnostics'], log: Log): void {
  for (const { code, message, at } of diagnostics) log.error({ code, place: placeOf(at) }, message);
}

/** What happened, for the log: refusals with the place of the entry. */
export function logApplied(
  { plan, refusals }: AppliedEntries,
  entries: readonly PlacedEntry[],
  log: Log,
): void {
  const places = new Map(entries.map(({ content, at }) => [content.id, at]));
  const refused = new Set(refusals.map(({ content }) => content.id));
  for (const { content, problem } of refusals) {
    const at = places.get(content.id);
    const { code, hint, message } = problem;
    log.error({ code, hint, entry: content.id, ...(at && { place: placeOf(at) }) }, message);
  }
  const created = plan.create.filter(({ id }) => !refused.has(id)).length;
  const updated = plan.update.filter(({ wanted }) => !refused.has(wanted.id)).length;
  const counts = { created, updated, unchanged: plan.unchanged.length, refused: refused.size };
  log.info(counts, 'entries were applied');
  if (plan.surplus.length === 0) return;
  const kept = plan.surplus.slice(0, maxNamed).map(({ id }) => id);
  log.warn({ count: plan.surplus.length, entries: kept }, 'entries that no file has any more are kept');
}

const maxNamed = 20;
