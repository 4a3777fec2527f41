import { checkEntry } from '../../registration/check-entry.js';
import type { Entry, EntryDraft } from '../../registration/entry.js';
import { contentMessage, selectorsIn } from '../../server/api/messages.js';
import type { TrustDomain } from '../../spiffe/id.js';
import type { GrpcConnection } from '../../transport/grpc-client.js';
import type { MessageIn, MessageOut } from '../../wire/names.js';
import { serviceDefinition } from '../../wire/services.js';
import { idText } from '../admin.js';
import { everyPage } from '../pages.js';

export type EntryMessage = MessageOut<'spire.api.types.Entry'>;
export type EntryFilter = NonNullable<MessageIn<'spire.api.server.entry.v1.ListEntriesRequest'>['filter']>;

export const entryApi = serviceDefinition('spire.api.server.entry.v1.Entry');

/** The entries that a filter lets through, page by page. */
export function listEntries(
  server: GrpcConnection,
  filter: EntryFilter = {},
  tell?: (count: number) => void,
): Promise<EntryMessage[]> {
  return everyPage(async (page) => {
    const { entries = [], next_page_token } = await server.unary(entryApi.ListEntries, { filter, ...page });
    return { items: entries, next: next_page_token };
  }, tell);
}

/** An entry as the server's API is told it. */
export function draftMessage(draft: EntryDraft): MessageIn<'spire.api.types.Entry'> {
  return { ...(draft.id === undefined ? {} : { id: draft.id }), ...contentMessage(draft) };
}

/** An entry as the server's API gives it. */
export function entryFrom(message: EntryMessage, trustDomain: TrustDomain): Entry {
  const { id: _, ...content } = checkEntry(
    {
      spiffeId: idText(message.spiffe_id),
      parentId: idText(message.parent_id),
      selectors: selectorsIn(message.selectors),
      x509SvidTtl: message.x509_svid_ttl ?? 0,
      jwtSvidTtl: message.jwt_svid_ttl ?? 0,
      dnsNames: message.dns_names ?? [],
      federatesWith: message.federates_with ?? [],
      admin: message.admin ?? false,
      downstream: message.downstream ?? false,
      hint: message.hint ?? '',
      storeSvid: message.store_svid ?? false,
      disableX509SvidPrefetch: message.additional_attributes?.disable_x509_svid_prefetch ?? false,
      jwtSvidIncludeJti: message.additional_attributes?.jwt_svid_include_jti ?? false,
      expiresAt: Number(message.expires_at ?? 0),
    },
    trustDomain,
  );
  const { id = '', created_at = '0', revision_number = '0' } = message;
  return { ...content, id, createdAt: Number(created_at), revision: Number(revision_number) };
}
