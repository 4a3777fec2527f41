import type { Entry } from '../registration/entry.js';
import type { BundleDeletion, BundleOutcome, BundleWrite, DeleteMode } from '../server/ports.js';
import type { Bundle } from '../spiffe/bundle.js';
import type { TrustDomain } from '../spiffe/id.js';
import { contentOf, contentText } from './bundle-content.js';
import { deleteEntries, entriesFederatingWith, updateEntries } from './entries.js';
import { recordEvents } from './positions.js';
import { rowsInEvents } from './rows.js';
import { type Row, textOf, type Work } from './unit.js';

export function* allFederatedBundles(): Work<Bundle[]> {
  const rows = yield ['select * from federated_bundles order by trust_domain', []];
  return rows.map(bundleOf);
}

/** Those that events from `first` to `last` name and that are still there. */
export function* federatedBundlesInEvents(first: number, last: number): Work<Bundle[]> {
  return (yield* rowsInEvents('bundle', first, last)).map(bundleOf);
}

export function* writeFederatedBundles(writes: readonly BundleWrite[]): Work<BundleOutcome[]> {
  const outcomes: BundleOutcome[] = [];
  for (const write of writes) outcomes.push(yield* writeFederatedBundle(write));
  return outcomes;
}

function* writeFederatedBundle({ how, trustDomain, change }: BundleWrite): Work<BundleOutcome> {
  const [row] = yield ['select * from federated_bundles where trust_domain = ?', [trustDomain]];
  if (row && how === 'create') return { kind: 'present' };
  if (!row && how === 'update') return { kind: 'missing' };
  const before = row && how === 'update' ? bundleOf(row) : emptyBundle(trustDomain);
  const bundle = { ...before, ...change, trustDomain };
  yield [
    `insert into federated_bundles (trust_domain, content) values (?, ?)
       on conflict (trust_domain) do update set content = excluded.content`,
    [trustDomain, contentText(bundle)],
  ];
  yield* recordEvents('bundle', [trustDomain]);
  return { kind: 'written', bundle };
}

/** One after the other: an entry may federate with several of them. */
export function* deleteFederatedBundles(
  trustDomains: readonly TrustDomain[],
  mode: DeleteMode,
): Work<BundleDeletion[]> {
  const deletions: BundleDeletion[] = [];
  for (const trustDomain of trustDomains) deletions.push(yield* deleteFederatedBundle(trustDomain, mode));
  return deletions;
}

function* deleteFederatedBundle(trustDomain: TrustDomain, mode: DeleteMode): Work<BundleDeletion> {
  const [row] = yield ['select * from federated_bundles where trust_domain = ?', [trustDomain]];
  if (!row) return { kind: 'missing' };
  const entries = yield* entriesFederatingWith(trustDomain);
  if (entries.length > 0 && mode === 'restrict') return { kind: 'in use', entries: entries.length };
  const ids = entries.map(({ id }) => id);
  if (mode === 'delete') yield* deleteEntries(ids);
  const changed = mode === 'dissociate' ? yield* dissociate(entries, trustDomain) : [];
  yield ['delete from federated_bundles where trust_domain = ?', [trustDomain]];
  yield* recordEvents('bundle', [trustDomain]);
  return { kind: 'deleted', deletedEntries: mode === 'delete' ? ids : [], changedEntries: changed };
}

function* dissociate(entries: readonly Entry[], trustDomain: TrustDomain): Work<Entry[]> {
  const outcomes = yield* updateEntries(
    entries.map(({ id, federatesWith }) => ({
      id,
      change: { federatesWith: federatesWith.filter((one) => one !== trustDomain) },
    })),
  );
  return outcomes.flatMap((outcome) => (outcome.kind === 'written' ? [outcome.entry] : []));
}

function emptyBundle(trustDomain: TrustDomain): Bundle {
  return { trustDomain, x509Authorities: [], jwtAuthorities: [], sequence: 0n, refreshHint: 0 };
}

/** Nothing is checked again: it was when it was written, and nobody else writes here. */
function bundleOf(row: Row): Bundle {
  return { trustDomain: textOf(row, 'trust_domain') as TrustDomain, ...contentOf(textOf(row, 'content')) };
}
