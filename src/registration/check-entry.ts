import type { TrustDomain } from '../spiffe/id.js';
import type { EntryDraft, Selector } from './entry.js';
import {
  checkDnsName,
  checkEntryId,
  checkEntryName,
  checkExpiry,
  checkFederatesWith,
  checkHint,
  checkParentId,
  checkSelectors,
  checkStoreSvid,
  checkTtl,
} from './entry-rules.js';
import { checkSelector } from './selector.js';

/** An entry as somebody wrote it, nothing of it checked. */
export interface UncheckedEntry {
  /** Empty or absent: the server chooses. */
  readonly id?: string;
  readonly spiffeId: string;
  readonly parentId: string;
  readonly selectors: readonly Selector[];
  readonly x509SvidTtl?: number;
  readonly jwtSvidTtl?: number;
  readonly dnsNames?: readonly string[];
  readonly federatesWith?: readonly string[];
  readonly admin?: boolean;
  readonly downstream?: boolean;
  readonly hint?: string;
  readonly storeSvid?: boolean;
  readonly disableX509SvidPrefetch?: boolean;
  readonly jwtSvidIncludeJti?: boolean;
  readonly expiresAt?: number;
}

/** Checks every field, puts lists into their canonical form and fills defaults in. Throws the fault of the first bad field. */
export function checkEntry(entry: UncheckedEntry, trustDomain: TrustDomain): EntryDraft {
  return {
    ...(entry.id ? { id: checkEntryName(entry.id) } : {}),
    spiffeId: checkEntryId(entry.spiffeId, trustDomain),
    parentId: checkParentId(entry.parentId, trustDomain),
    selectors: checkSelectors(entry.selectors.map(checkSelector)),
    x509SvidTtl: checkTtl(entry.x509SvidTtl ?? 0),
    jwtSvidTtl: checkTtl(entry.jwtSvidTtl ?? 0),
    // The order counts: the first name is the common name of the certificate.
    dnsNames: [...new Set((entry.dnsNames ?? []).map(checkDnsName))],
    federatesWith: [
      ...new Set((entry.federatesWith ?? []).map((name) => checkFederatesWith(name, trustDomain))),
    ].sort(),
    admin: entry.admin ?? false,
    downstream: entry.downstream ?? false,
    hint: checkHint(entry.hint ?? ''),
    storeSvid: checkStoreSvid(entry.storeSvid ?? false, entry.selectors),
    disableX509SvidPrefetch: entry.disableX509SvidPrefetch ?? false,
    jwtSvidIncludeJti: entry.jwtSvidIncludeJti ?? false,
    expiresAt: checkExpiry(entry.expiresAt ?? 0),
  };
}
