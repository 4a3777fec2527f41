import type { Entry, Selector } from '../registration/entry.js';
import type { IdentifiedContent } from '../registration/plan.js';
import { formatSelector, parseSelector } from '../registration/selector.js';
import type { EntryChange, EntryOutcome } from '../server/ports.js';
import type { SpiffeId, TrustDomain } from '../spiffe/id.js';
import { recordEvents } from './positions.js';
import { allRows, rowsInEvents } from './rows.js';
import { integerOf, type Row, type SqlValue, textOf, type Work } from './unit.js';

/** The next ones in the order of their IDs. */
export function* entriesAfter(id: string, limit: number): Work<Entry[]> {
  const rows = yield ['select * from entries where id > ? order by id limit ?', [id, limit]];
  return rows.map(entryOf);
}

export function* allEntries(): Work<Entry[]> {
  return (yield* allRows('entries')).map(entryOf);
}

/** Those that events from `first` to `last` name and that are still there. */
export function* entriesInEvents(first: number, last: number): Work<Entry[]> {
  return (yield* rowsInEvents('entry', first, last)).map(entryOf);
}

/** `now` in seconds since the Unix epoch. */
export function* createEntries(entries: readonly IdentifiedContent[], now: number): Work<EntryOutcome[]> {
  const outcomes: EntryOutcome[] = [];
  for (const content of entries) outcomes.push(yield* createEntry(content, now));
  return outcomes;
}

export function* createEntry(content: IdentifiedContent, now: number): Work<EntryOutcome> {
  const present = (yield* entryWithId(content.id)) ?? (yield* similarEntry(content));
  if (present) return { kind: 'similar', entry: present };
  const unknown = yield* trustDomainWithoutBundle(content.federatesWith);
  if (unknown !== undefined) return { kind: 'no bundle', trustDomain: unknown };
  const entry = { ...content, createdAt: now, revision: yield* nextRevision(content.id) };
  yield [insertEntry, columnsOf(entry)];
  return { kind: 'written', entry };
}

export function* updateEntries(changes: readonly EntryChange[]): Work<EntryOutcome[]> {
  const outcomes: EntryOutcome[] = [];
  for (const change of changes) outcomes.push(yield* updateEntry(change));
  return outcomes;
}

function* updateEntry({ id, change }: EntryChange): Work<EntryOutcome> {
  const present = yield* entryWithId(id);
  if (!present) return { kind: 'missing' };
  const changed = { ...present, ...change };
  const similar = yield* similarEntry(changed);
  if (similar && similar.id !== id) return { kind: 'similar', entry: similar };
  const unknown = yield* trustDomainWithoutBundle(changed.federatesWith);
  if (unknown !== undefined) return { kind: 'no bundle', trustDomain: unknown };
  const entry = { ...changed, revision: yield* nextRevision(id) };
  yield ['delete from entries where id = ?', [id]];
  yield [insertEntry, columnsOf(entry)];
  return { kind: 'written', entry };
}

export function* deleteEntries(ids: readonly string[]): Work<boolean[]> {
  const deleted: boolean[] = [];
  for (const id of ids) {
    const rows = yield ['delete from entries where id = ? returning id', [id]];
    if (rows.length > 0) yield* recordEvents('entry', [id]);
    deleted.push(rows.length > 0);
  }
  return deleted;
}

export function* entriesFederatingWith(trustDomain: TrustDomain): Work<Entry[]> {
  const rows = yield ["select * from entries where federates_with <> '[]' order by id", []];
  return rows.map(entryOf).filter(({ federatesWith }) => federatesWith.includes(trustDomain));
}

function* trustDomainWithoutBundle(trustDomains: readonly TrustDomain[]): Work<TrustDomain | undefined> {
  for (const trustDomain of trustDomains) {
    const rows = yield ['select trust_domain from federated_bundles where trust_domain = ?', [trustDomain]];
    if (rows.length === 0) return trustDomain;
  }
  return undefined;
}

export function* similarEntry(
  entry: Pick<Entry, 'spiffeId' | 'parentId' | 'selectors'>,
): Work<Entry | undefined> {
  const [row] = yield [
    'select * from entries where spiffe_id = ? and parent_id = ? and selectors = ?',
    [entry.spiffeId, entry.parentId, selectorsText(entry.selectors)],
  ];
  return row && entryOf(row);
}

/** Selectors, in canonical order, as they are stored: equal sets have equal texts. */
export function selectorsText(selectors: readonly Selector[]): string {
  return JSON.stringify(selectors.map(formatSelector));
}

export function selectorsOf(text: string): Selector[] {
  return textsOf(text).map(parseSelector);
}

/**
 * The position of the event that writes the entry, so that no two states of an entry ever have the same revision, not even
 * when it is deleted and made again within a second.
 */
function* nextRevision(id: string): Work<number> {
  const [position] = yield* recordEvents('entry', [id]);
  if (position === undefined) throw new Error('an event has no position');
  return position;
}

function* entryWithId(id: string): Work<Entry | undefined> {
  const [row] = yield ['select * from entries where id = ?', [id]];
  return row && entryOf(row);
}

const insertEntry = `insert into entries
  (id, spiffe_id, parent_id, selectors, x509_svid_ttl, jwt_svid_ttl, dns_names, federates_with, admin, downstream, hint,
   store_svid, disable_x509_svid_prefetch, jwt_svid_include_jti, expires_at, created_at, revision)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

function columnsOf(entry: Entry): SqlValue[] {
  return [
    entry.id,
    entry.spiffeId,
    entry.parentId,
    selectorsText(entry.selectors),
    entry.x509SvidTtl,
    entry.jwtSvidTtl,
    JSON.stringify(entry.dnsNames),
    JSON.stringify(entry.federatesWith),
    Number(entry.admin),
    Number(entry.downstream),
    entry.hint,
    Number(entry.storeSvid),
    Number(entry.disableX509SvidPrefetch),
    Number(entry.jwtSvidIncludeJti),
    entry.expiresAt,
    entry.createdAt,
    entry.revision,
  ];
}

/** IDs are not parsed again: they were when they were written, and nobody else writes here. */
function entryOf(row: Row): Entry {
  return {
    id: textOf(row, 'id'),
    spiffeId: textOf(row, 'spiffe_id') as SpiffeId,
    parentId: textOf(row, 'parent_id') as SpiffeId,
    selectors: selectorsOf(textOf(row, 'selectors')),
    x509SvidTtl: integerOf(row, 'x509_svid_ttl'),
    jwtSvidTtl: integerOf(row, 'jwt_svid_ttl'),
    dnsNames: textsOf(textOf(row, 'dns_names')),
    federatesWith: textsOf(textOf(row, 'federates_with')) as TrustDomain[],
    admin: integerOf(row, 'admin') === 1,
    downstream: integerOf(row, 'downstream') === 1,
    hint: textOf(row, 'hint'),
    storeSvid: integerOf(row, 'store_svid') === 1,
    disableX509SvidPrefetch: integerOf(row, 'disable_x509_svid_prefetch') === 1,
    jwtSvidIncludeJti: integerOf(row, 'jwt_svid_include_jti') === 1,
    expiresAt: integerOf(row, 'expires_at'),
    createdAt: integerOf(row, 'created_at'),
    revision: integerOf(row, 'revision'),
  };
}

function textsOf(json: string): string[] {
  return JSON.parse(json) as string[];
}
