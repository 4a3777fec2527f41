import type { EntryContent } from './entry.js';
import { formatSelector } from './selector.js';

/** What differs of one field between two contents of an entry. */
export interface FieldChange {
  readonly field: keyof EntryContent;
  readonly from: FieldValue;
  readonly to: FieldValue;
}

/** As a file says it: selectors as `type:value`. */
export type FieldValue = string | number | boolean | readonly string[];

/** Field by field what `to` changes of `from`; nothing when they say the same. */
export function entryChanges(from: EntryContent, to: EntryContent): FieldChange[] {
  return fields.flatMap((field) => {
    const change = { field, from: valueIn(from, field), to: valueIn(to, field) };
    return JSON.stringify(change.from) === JSON.stringify(change.to) ? [] : [change];
  });
}

function valueIn(content: EntryContent, field: keyof EntryContent): FieldValue {
  return field === 'selectors' ? content.selectors.map(formatSelector) : content[field];
}

/** In the order in which they are shown; the compiler insists on all of them. */
const fields = Object.keys({
  spiffeId: true,
  parentId: true,
  selectors: true,
  x509SvidTtl: true,
  jwtSvidTtl: true,
  dnsNames: true,
  federatesWith: true,
  hint: true,
  storeSvid: true,
  disableX509SvidPrefetch: true,
  jwtSvidIncludeJti: true,
  admin: true,
  downstream: true,
  expiresAt: true,
} satisfies Record<keyof EntryContent, true>) as (keyof EntryContent)[];
