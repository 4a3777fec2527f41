import type { Entry } from '../registration/entry.js';
import type { BundleDeletion, BundleOutcome, BundleWrite, DeleteMode } from '../server/ports.js';
import type { Bundle } from '../spiffe/bundle.js';
import type { TrustDomain } from '../spiffe/id.js';
import { deleteEntries, entriesFederatingWith, updateEntries } from './entries.js';
import { recordEvents } from './positions.js';
import { type Row, textOf, type Work } from './unit.js';

export function* allFederatedBundles(): Work<Bundle[]> {
  const rows = yield ['select * from federated_bundles order by trust_domain', []];
  return rows.map(bundleOf);
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

/** A bundle in the column `content`: bytes in base64, the sequence number, which has 64 bits, as a text. */
interface Content {
  readonly x509: readonly { readonly der: string; readonly tainted: boolean }[];
  readonly jwt: readonly {
    readonly keyId: string;
    readonly publicKey: string;
    readonly expiresAt: number;
    readonly tainted: boolean;
  }[];
  readonly sequence: string;
  readonly refreshHint: number;
}

function contentText({ x509Authorities, jwtAuthorities, sequence, refreshHint }: Bundle): string {
  const content: Content = {
    x509: x509Authorities.map(({ der, tainted }) => ({ der: base64(der), tainted })),
    jwt: jwtAuthorities.map(({ publicKey, ...key }) => ({ ...key, publicKey: base64(publicKey) })),
    sequence: sequence.toString(),
    refreshHint,
  };
  return JSON.stringify(content);
}

/** Nothing is checked again: it was when it was written, and nobody else writes here. */
function bundleOf(row: Row): Bundle {
  const { x509, jwt, sequence, refreshHint } = JSON.parse(textOf(row, 'content')) as Content;
  return {
    trustDomain: textOf(row, 'trust_domain') as TrustDomain,
    x509Authorities: x509.map(({ der, tainted }) => ({ der: bytes(der), tainted })),
    jwtAuthorities: jwt.map(({ publicKey, ...key }) => ({ ...key, publicKey: bytes(publicKey) })),
    sequence: BigInt(sequence),
    refreshHint,
  };
}

const base64 = (data: Uint8Array): string => Buffer.from(data).toString('base64');
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));
