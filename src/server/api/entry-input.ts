import { checkEntry, type UncheckedEntry } from '../../registration/check-entry.js';
import type { Entry, EntryContent, EntryDraft } from '../../registration/entry.js';
import type { TrustDomain } from '../../spiffe/id.js';
import type { MessageOut } from '../../wire/names.js';
import { type EntryMask, idText, selectorsIn } from './messages.js';

type EntryMessageIn = MessageOut<'spire.api.types.Entry'>;

/** Reads an entry that somebody wants to have. Throws REG0xxx, IDN01xx, SRV0201. */
export function entryDraft(message: EntryMessageIn, trustDomain: TrustDomain): EntryDraft {
  const unchecked = Object.assign(
    {},
    ...Object.values(readers).map((read) => read(message)),
  ) as UncheckedEntry;
  return checkEntry({ ...unchecked, id: message.id ?? '' }, trustDomain);
}

/**
 * What a message changes of an entry: the fields that the mask names, all without a mask. The rest of the message is not
 * looked at. Throws as `entryDraft` does.
 */
export function entryChange(
  message: EntryMessageIn,
  mask: EntryMask | undefined | null,
  present: Entry,
  trustDomain: TrustDomain,
): Partial<EntryContent> {
  const wanted = new Map(Object.entries(mask ?? {}));
  const masked = Object.entries(readers).filter(([field]) => !mask || wanted.get(field));
  const changes = Object.assign({}, ...masked.map(([, read]) => read(message))) as Partial<UncheckedEntry>;
  const { id: _, ...checked } = checkEntry({ ...present, ...changes }, trustDomain);
  const changed = Object.entries(checked).filter(([name]) => Object.hasOwn(changes, name));
  return Object.fromEntries(changed) as Partial<EntryContent>;
}

/** By the name of the field in messages and masks: what it says in our terms. */
const readers: Readonly<Record<string, (message: EntryMessageIn) => Partial<UncheckedEntry>>> = {
  spiffe_id: ({ spiffe_id }) => ({ spiffeId: idText(spiffe_id, 'spiffe_id') }),
  parent_id: ({ parent_id }) => ({ parentId: idText(parent_id, 'parent_id') }),
  selectors: ({ selectors }) => ({ selectors: selectorsIn(selectors) }),
  x509_svid_ttl: ({ x509_svid_ttl = 0 }) => ({ x509SvidTtl: x509_svid_ttl }),
  jwt_svid_ttl: ({ jwt_svid_ttl = 0 }) => ({ jwtSvidTtl: jwt_svid_ttl }),
  dns_names: ({ dns_names = [] }) => ({ dnsNames: dns_names }),
  federates_with: ({ federates_with = [] }) => ({ federatesWith: federates_with }),
  admin: ({ admin = false }) => ({ admin }),
  downstream: ({ downstream = false }) => ({ downstream }),
  hint: ({ hint = '' }) => ({ hint }),
  expires_at: ({ expires_at = '0' }) => ({ expiresAt: Number(expires_at) }),
  store_svid: ({ store_svid = false }) => ({ storeSvid: store_svid }),
  additional_attributes: ({ additional_attributes: attributes }) => ({
    disableX509SvidPrefetch: attributes?.disable_x509_svid_prefetch ?? false,
    jwtSvidIncludeJti: attributes?.jwt_svid_include_jti ?? false,
  }),
};
