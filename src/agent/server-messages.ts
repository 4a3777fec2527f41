import type { SPIFFEID__Output } from '@plastron/spiffe-protos/types/spire/api/types/SPIFFEID.js';
import { fault } from '../base/faults/fault.js';
import { checkSelector } from '../registration/selector.js';
import type { Bundle } from '../spiffe/bundle.js';
import { parseX509Authority } from '../spiffe/bundle-pem.js';
import { parseTrustDomain, parseWorkloadId, type SpiffeId } from '../spiffe/id.js';
import type { Log } from '../telemetry/log.js';
import type { MessageOut } from '../wire/names.js';
import type { AgentEntry } from './snapshot.js';

type BundleMessage = MessageOut<'spire.api.types.Bundle'>;
type EntryMessage = MessageOut<'spire.api.types.Entry'>;

/**
 * Reads a bundle as the server sends it. One broken certificate refuses the whole bundle, so that the last good one stays.
 * Throws what `parseTrustDomain` and `parseX509Authority` throw.
 */
export function bundleFromMessage(message: BundleMessage): Bundle {
  return {
    trustDomain: parseTrustDomain(message.trust_domain ?? ''),
    x509Authorities: (message.x509_authorities ?? []).map(({ asn1, tainted }) =>
      parseX509Authority(asn1 ?? new Uint8Array(), tainted ?? false),
    ),
    jwtAuthorities: (message.jwt_authorities ?? []).map((key) => ({
      keyId: key.key_id ?? '',
      publicKey: key.public_key ?? new Uint8Array(),
      expiresAt: Number(key.expires_at ?? 0),
      tainted: key.tainted ?? false,
    })),
    sequence: BigInt(message.sequence_number ?? 0),
    refreshHint: Number(message.refresh_hint ?? 0),
  };
}

/**
 * Reads a registration entry as the server sends it to agents, with its version if it has one. `undefined` for one that is no
 * workload's, and for one that cannot be read, which the log says.
 */
export function readEntry(
  id: string | undefined,
  message: () => EntryMessage,
  log: Log,
  version?: string,
): AgentEntry | undefined {
  try {
    const entry = message();
    // Meant for SPIRE's SVID stores and for no workload.
    return entry.store_svid ? undefined : entryFromMessage(entry, version);
  } catch (error) {
    log.warn({ entry: id, error }, 'the server sent an entry that cannot be read');
    return undefined;
  }
}

/** Throws AGT0502 and what the values' own parsers throw. */
function entryFromMessage(message: EntryMessage, version?: string): AgentEntry {
  const { id = '', spiffe_id, selectors = [] } = message;
  if (id === '' || selectors.length === 0) throw fault('AGT0502', { id });
  return {
    id,
    spiffeId: idFromMessage(spiffe_id),
    selectors: selectors.map(({ type = '', value = '' }) => checkSelector({ type, value })),
    federatesWith: (message.federates_with ?? []).map((name) => parseTrustDomain(withoutScheme(name))),
    hint: message.hint ?? '',
    createdAt: Number(message.created_at ?? 0),
    revision: Number(message.revision_number ?? 0),
    ...(version !== undefined && { version }),
  };
}

/** Throws IDN0101 to IDN0109. */
function idFromMessage(message: SPIFFEID__Output | undefined): SpiffeId {
  return parseWorkloadId(`spiffe://${message?.trust_domain ?? ''}${message?.path ?? ''}`);
}

/** Trust domains of federation travel by name or by SPIFFE ID. */
function withoutScheme(trustDomain: string): string {
  return trustDomain.replace(/^spiffe:\/\//, '');
}
