import { idText } from '../admin.js';
import type { OutputDocument } from '../output.js';
import { fromNow, instant, timeAndDistance } from '../times.js';
import { factLines, formatTable } from '../voice.js';
import type { EntryMessage } from './message.js';

/** An entry as programs are given it: the names of the fields are those of files of entries. */
export function entryFields(entry: EntryMessage) {
  return {
    id: entry.id ?? '',
    spiffeId: idText(entry.spiffe_id),
    parentId: idText(entry.parent_id),
    selectors: selectorTexts(entry),
    x509SvidTtl: entry.x509_svid_ttl || null,
    jwtSvidTtl: entry.jwt_svid_ttl || null,
    dnsNames: entry.dns_names ?? [],
    federatesWith: entry.federates_with ?? [],
    admin: entry.admin ?? false,
    downstream: entry.downstream ?? false,
    storeSvid: entry.store_svid ?? false,
    disableX509SvidPrefetch: entry.additional_attributes?.disable_x509_svid_prefetch ?? false,
    jwtSvidIncludeJti: entry.additional_attributes?.jwt_svid_include_jti ?? false,
    hint: entry.hint ?? '',
    expiresAt: instant(entry.expires_at),
    createdAt: instant(entry.created_at),
    revision: Number(entry.revision_number ?? 0),
  };
}

export function entryDocument(entry: EntryMessage): OutputDocument {
  return { kind: 'Entry', ...entryFields(entry) };
}

/** One line an entry, by SPIFFE ID. */
export function entryTable(entries: readonly EntryMessage[], nowMs: number): string[] {
  const rows = entries
    .map((entry) => {
      const ttl = entry.x509_svid_ttl ? `${entry.x509_svid_ttl}s` : 'default';
      const { spiffeId, parentId, selectors, id } = entryFields(entry);
      return [spiffeId, parentId, selectors.join(' '), ttl, notes(entry, nowMs).join(', '), id];
    })
    .sort(([a = ''], [b = '']) => (a < b ? -1 : 1));
  return formatTable(['SPIFFE ID', 'PARENT', 'SELECTORS', 'TTL', 'NOTES', 'ID'], rows);
}

/** Everything about one entry, a line a field. */
export function entryLines(entry: EntryMessage, nowMs: number): string[] {
  const fields = entryFields(entry);
  const seconds = (ttl: number | null) => (ttl === null ? 'default of the server' : `${ttl}s`);
  return factLines([
    ['ID', fields.id],
    ['SPIFFE ID', fields.spiffeId],
    ['Parent', fields.parentId],
    ['Selectors', fields.selectors],
    ['X.509-SVID TTL', seconds(fields.x509SvidTtl)],
    ['JWT-SVID TTL', seconds(fields.jwtSvidTtl)],
    ['DNS names', fields.dnsNames],
    ['Federates with', fields.federatesWith],
    ['Hint', fields.hint],
    ['Rights', rights(entry)],
    ['Expires', timeAndDistance(entry.expires_at, nowMs)],
    ['Created', timeAndDistance(entry.created_at, nowMs)],
    ['Revision', String(fields.revision)],
  ]);
}

export function selectorTexts(entry: EntryMessage): string[] {
  return (entry.selectors ?? []).map(({ type, value }) => `${type}:${value}`);
}

function notes(entry: EntryMessage, nowMs: number): string[] {
  const end = Number(entry.expires_at ?? 0) * 1000;
  return [
    ...rights(entry),
    ...(entry.hint ? [entry.hint === 'default' ? 'default' : `hint ${entry.hint}`] : []),
    ...(end === 0 ? [] : [end <= nowMs ? 'expired' : `ends ${fromNow(entry.expires_at, nowMs)}`]),
  ];
}

function rights({ admin, downstream, store_svid }: EntryMessage): string[] {
  return [
    ...(admin ? ['admin'] : []),
    ...(downstream ? ['downstream'] : []),
    ...(store_svid ? ['stored SVID'] : []),
  ];
}
