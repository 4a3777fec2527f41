import { type Fault, fault } from '../base/faults/fault.js';
import { placeOf, type SourceFile } from '../base/source.js';
import { type LoadedEntries, loadEntries, type PlacedEntry } from '../registration/entries-file.js';
import { type EntryPlan, type IdentifiedContent, planEntries } from '../registration/plan.js';
import type { TrustDomain } from '../spiffe/id.js';
import type { BundleSource } from '../spiffe/source.js';
import type { Log } from '../telemetry/log.js';
import type { EntryOutcome } from './ports.js';
import type { Registry } from './registry.js';

export interface ApplyContext {
  readonly registry: Registry;
  readonly federatedBundles: BundleSource;
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
  for (const { code, message, at } of diagnostics) log.error({ code, place: placeOf(at) }, message);
  const [first] = diagnostics;
  const problem = first ? `${placeOf(first.at)}: ${first.message}` : '';
  throw fault('REG0303', { path: file.path, problem });
}

/** Makes the entries what files say, and deletes nothing. Applied again, it changes nothing. */
export async function applyEntries(
  { entries, prefixes }: GoodEntries,
  { registry, federatedBundles }: ApplyContext,
): Promise<AppliedEntries> {
  const contents = entries.map(({ content }) => content);
  const plan = planEntries(contents, prefixes, registry.entries());
  const refusals: Refusal[] = plan.conflicts.map(({ wanted, present }) => ({
    content: wanted,
    problem: fault('REG0304', { id: present.id }),
  }));
  const mayFederate = (content: IdentifiedContent) => {
    const foreign = content.federatesWith.find((name) => !federatedBundles.bundle(name));
    if (foreign === undefined) return true;
    refusals.push({ content, problem: fault('SRV0304', { trustDomain: foreign }) });
    return false;
  };
  const creations = plan.create.filter(mayFederate);
  const updates = plan.update.filter(({ wanted }) => mayFederate(wanted));
  const changes = updates.map(({ present, wanted: { id: _, ...change } }) => ({ id: present.id, change }));
  const updated = changes.length > 0 ? await registry.updateEntries(changes) : [];
  const created = creations.length > 0 ? await registry.createEntries(creations) : [];
  const written = [...updates.map(({ wanted }) => wanted), ...creations];
  for (const [at, outcome] of [...updated, ...created].entries()) {
    const content = written[at];
    if (content && outcome.kind !== 'written')
      refusals.push({ content, problem: problemOf(outcome, content) });
  }
  return { plan, refusals };
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

function problemOf(outcome: EntryOutcome, { id }: IdentifiedContent): Fault {
  return outcome.kind === 'similar' ? fault('SRV0302', { id: outcome.entry.id }) : fault('SRV0301', { id });
}
