import { status } from '@grpc/grpc-js';
import { Fault, fault } from '../../base/faults/fault.js';
import type { IssuedJwtSvid } from '../../ca/issue-jwt-svid.js';
import type { IssuedSvid } from '../../ca/issue-x509-svid.js';
import type { Entry, EntryContent, Selector } from '../../registration/entry.js';
import type { Bundle } from '../../spiffe/bundle.js';
import { pathOf, type SpiffeId, trustDomainOf } from '../../spiffe/id.js';
import type { Log } from '../../telemetry/log.js';
import type { MessageIn, MessageOut } from '../../wire/names.js';
import type { AgentRecord } from '../ports.js';

// Between our values and the messages of SPIRE's API.

export type EntryMessage = MessageIn<'spire.api.types.Entry'>;
export type EntryMask = MessageOut<'spire.api.types.EntryMask'>;

export function idMessage(id: SpiffeId): MessageIn<'spire.api.types.SPIFFEID'> {
  return { trust_domain: trustDomainOf(id), path: pathOf(id) };
}

/** The text of an ID that a message holds, for a parser to judge. `field` is its name in the request. Throws SRV0201. */
export function idText(
  message: MessageOut<'spire.api.types.SPIFFEID'> | undefined | null,
  field: string,
): string {
  if (!message) throw fault('SRV0201', { field });
  return `spiffe://${message.trust_domain ?? ''}${message.path ?? ''}`;
}

export function selectorsIn(
  messages: readonly MessageOut<'spire.api.types.Selector'>[] | undefined,
): Selector[] {
  return (messages ?? []).map(({ type = '', value = '' }) => ({ type, value }));
}

/** Without a mask everything; the ID always. */
export function entryMessage(entry: Entry, mask?: EntryMask | null): EntryMessage {
  const all: EntryMessage = {
    ...contentMessage(entry),
    revision_number: entry.revision,
    created_at: entry.createdAt,
  };
  return { id: entry.id, ...masked(all, mask) };
}

/** What somebody decides about an entry, without what the server adds. */
export function contentMessage(content: EntryContent): EntryMessage {
  return {
    spiffe_id: idMessage(content.spiffeId),
    parent_id: idMessage(content.parentId),
    selectors: content.selectors.map(({ type, value }) => ({ type, value })),
    x509_svid_ttl: content.x509SvidTtl,
    jwt_svid_ttl: content.jwtSvidTtl,
    federates_with: [...content.federatesWith],
    admin: content.admin,
    downstream: content.downstream,
    expires_at: content.expiresAt,
    dns_names: [...content.dnsNames],
    hint: content.hint,
    store_svid: content.storeSvid,
    ...attributesMessage(content),
  };
}

/** Left out when there is nothing to say, as by servers that do not know the field. */
function attributesMessage(content: EntryContent): Pick<EntryMessage, 'additional_attributes'> {
  const { disableX509SvidPrefetch, jwtSvidIncludeJti } = content;
  if (!disableX509SvidPrefetch && !jwtSvidIncludeJti) return {};
  return {
    additional_attributes: {
      disable_x509_svid_prefetch: disableX509SvidPrefetch,
      jwt_svid_include_jti: jwtSvidIncludeJti,
    },
  };
}

export function agentMessage(
  agent: AgentRecord,
  mask?: MessageOut<'spire.api.types.AgentMask'> | null,
): MessageIn<'spire.api.types.Agent'> {
  const all: MessageIn<'spire.api.types.Agent'> = {
    attestation_type: agent.attestationType,
    x509svid_serial_number: BigInt(`0x${agent.serial}`).toString(),
    x509svid_expires_at: seconds(agent.expiresAt),
    selectors: agent.selectors.map(({ type, value }) => ({ type, value })),
    banned: agent.banned,
    can_reattest: agent.canReattest,
    agent_version: agent.version,
  };
  return { id: idMessage(agent.id), ...masked(all, mask) };
}

export function bundleMessage(
  bundle: Bundle,
  mask?: MessageOut<'spire.api.types.BundleMask'> | null,
): MessageIn<'spire.api.types.Bundle'> {
  const all: MessageIn<'spire.api.types.Bundle'> = {
    x509_authorities: bundle.x509Authorities.map(({ der, tainted }) => ({ asn1: der, tainted })),
    jwt_authorities: bundle.jwtAuthorities.map((key) => ({
      public_key: key.publicKey,
      key_id: key.keyId,
      expires_at: key.expiresAt,
      tainted: key.tainted,
    })),
    refresh_hint: bundle.refreshHint,
    sequence_number: bundle.sequence.toString(),
  };
  return { trust_domain: bundle.trustDomain, ...masked(all, mask) };
}

export function svidMessage(svid: IssuedSvid, hint = ''): MessageIn<'spire.api.types.X509SVID'> {
  return { cert_chain: [...svid.chain], id: idMessage(svid.id), expires_at: seconds(svid.notAfter), hint };
}

export function jwtSvidMessage(svid: IssuedJwtSvid, hint = ''): MessageIn<'spire.api.types.JWTSVID'> {
  const { token, id, issuedAt, expiresAt } = svid;
  return { token, id: idMessage(id), issued_at: seconds(issuedAt), expires_at: seconds(expiresAt), hint };
}

/** The status of one member of a batch. What is no Fault is a bug: logged, and its text kept from the caller. */
export function statusMessage(error: unknown, log: Log): MessageIn<'spire.api.types.Status'> {
  if (error instanceof Fault) {
    return { code: status[error.status], message: `${error.code}: ${error.message} (${error.hint})` };
  }
  log.error({ error }, 'a member of a batch failed for a reason that is a bug');
  return { code: status.INTERNAL, message: 'internal error' };
}

export const okStatus = { code: status.OK, message: 'OK' };

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}

function masked<Message extends object>(message: Message, mask: object | null | undefined): Partial<Message> {
  if (!mask) return message;
  const wanted = new Map(Object.entries(mask));
  const kept: Partial<Message> = {};
  for (const field in message) if (wanted.get(field)) kept[field] = message[field];
  return kept;
}
