import { checkEntry } from '../registration/check-entry.js';
import type { Entry, EntryDraft } from '../registration/entry.js';
import { contentMessage } from '../server/api/messages.js';
import type { TrustDomain } from '../spiffe/id.js';
import type { MessageIn } from '../wire/names.js';
import { type EntryMessage, idText } from './admin.js';

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
      selectors: (message.selectors ?? []).map(({ type = '', value = '' }) => ({ type, value })),
      x509SvidTtl: message.x509_svid_ttl ?? 0,
      jwtSvidTtl: message.jwt_svid_ttl ?? 0,
      dnsNames: message.dns_names ?? [],
      federatesWith: message.federates_with ?? [],
      admin: message.admin ?? false,
      downstream: message.downstream ?? false,
      hint: message.hint ?? '',
      expiresAt: Number(message.expires_at ?? 0),
    },
    trustDomain,
  );
  const { id = '', created_at = '0', revision_number = '0' } = message;
  return { ...content, id, createdAt: Number(created_at), revision: Number(revision_number) };
}
