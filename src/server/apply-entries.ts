import { fault } from '../base/faults/fault.js';
import { placeOf, type SourceFile } from '../base/source.js';
import { loadEntries } from '../registration/entries-file.js';
import { planEntries } from '../registration/plan.js';
import type { TrustDomain } from '../spiffe/id.js';
import type { BundleSource } from '../spiffe/source.js';
import type { Log } from '../telemetry/log.js';
import type { EntryOutcome } from './ports.js';
import type { Registry } from './registry.js';

export interface ApplyContext {
  readonly registry: Registry;
  readonly federatedBundles: BundleSource;
  readonly trustDomain: TrustDomain;
  readonly log: Log;
}

/**
 * Creates and updates what a file says; what it does not say stays as it is. Applied again, it changes nothing.
 * Throws REG0303 when anything in it is wrong, and then nothing was changed, or when another entry is in the way. Throws SRV0304.
 */
export async function applyEntries(
  file: SourceFile,
  { registry, federatedBundles, trustDomain, log }: ApplyContext,
): Promise<void> {
  const { path } = file;
  const { entries, diagnostics } = loadEntries([file], trustDomain);
  if (!entries) {
    for (const { code, message, at } of diagnostics) log.error({ code, place: placeOf(at) }, message);
    const [first] = diagnostics;
    throw fault('REG0303', { path, problem: first ? `${placeOf(first.at)}: ${first.message}` : '' });
  }
  for (const foreign of entries.flatMap(({ federatesWith }) => federatesWith)) {
    if (!federatedBundles.bundle(foreign)) throw fault('SRV0304', { trustDomain: foreign });
  }
  const { create, update, unchanged } = planEntries(entries, [...registry.entries()]);
  const outcomes = [
    ...(await registry.createEntries(create)),
    ...(await registry.updateEntries(update.map(({ id, ...change }) => ({ id, change })))),
  ];
  const inTheWay = outcomes.find(isInTheWay);
  if (inTheWay) throw fault('REG0303', { path, problem: `the entry \`${inTheWay.entry.id}\` is in the way` });
  log.info(
    { file: path, created: create.length, updated: update.length, unchanged: unchanged.length },
    'entries were applied',
  );
}

function isInTheWay(outcome: EntryOutcome): outcome is EntryOutcome & { kind: 'similar' } {
  return outcome.kind === 'similar';
}
