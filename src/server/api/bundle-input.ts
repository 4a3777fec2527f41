import { createPublicKey } from 'node:crypto';
import { Fault, fault } from '../../base/faults/fault.js';
import type { Bundle, JwtAuthority, X509Authority } from '../../spiffe/bundle.js';
import { parseX509Authority } from '../../spiffe/bundle-pem.js';
import { parseSpiffeId, parseTrustDomain, type TrustDomain, trustDomainOf } from '../../spiffe/id.js';
import type { MessageOut } from '../../wire/names.js';

type BundleMessageIn = MessageOut<'spire.api.types.Bundle'>;
type BundleMask = MessageOut<'spire.api.types.BundleMask'>;
type BundleContent = Omit<Bundle, 'trustDomain'>;

/** A trust domain other than the server's own, with or without `spiffe://`. Throws IDN01xx, SRV0601. */
export function foreignTrustDomain(name: string, own: TrustDomain): TrustDomain {
  const trustDomain = name.startsWith('spiffe://')
    ? trustDomainOf(parseSpiffeId(name))
    : parseTrustDomain(name);
  if (trustDomain === own) throw fault('SRV0601', { trustDomain });
  return trustDomain;
}

export const witProblem = 'WIT authorities are not supported yet';

/** What a message says of a bundle: the fields that the mask names, all without a mask. Throws SRV0602. */
export function bundleContent(
  message: BundleMessageIn,
  mask: BundleMask | undefined | null,
): Partial<BundleContent> {
  if (message.wit_authorities?.length) throw unusable(witProblem);
  return {
    ...(!mask || mask.x509_authorities
      ? { x509Authorities: x509AuthoritiesIn(message.x509_authorities) }
      : {}),
    ...(!mask || mask.jwt_authorities ? { jwtAuthorities: jwtAuthoritiesIn(message.jwt_authorities) } : {}),
    ...(!mask || mask.refresh_hint ? { refreshHint: refreshHintIn(message) } : {}),
    ...(!mask || mask.sequence_number ? { sequence: BigInt(message.sequence_number ?? 0) } : {}),
  };
}

/** Throws SRV0602. */
export function x509AuthoritiesIn(
  messages: readonly MessageOut<'spire.api.types.X509Certificate'>[] = [],
): X509Authority[] {
  return messages.map(({ asn1, tainted = false }) =>
    usable('an X.509 authority', () => parseX509Authority(asn1 ?? new Uint8Array(), tainted)),
  );
}

/** Throws SRV0602. */
export function jwtAuthoritiesIn(
  messages: readonly MessageOut<'spire.api.types.JWTKey'>[] = [],
): JwtAuthority[] {
  return messages.map(({ public_key, key_id = '', expires_at = '0', tainted = false }) => {
    if (key_id === '') throw unusable('a JWT authority has no key ID');
    const publicKey = usable('a JWT authority', () => parsePublicKey(public_key ?? new Uint8Array()));
    return { keyId: key_id, publicKey, expiresAt: Number(expires_at), tainted };
  });
}

function parsePublicKey(spki: Uint8Array): Uint8Array {
  createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  return spki;
}

function refreshHintIn({ refresh_hint = '0' }: BundleMessageIn): number {
  const seconds = Number(refresh_hint);
  if (!Number.isSafeInteger(seconds) || seconds < 0) throw unusable('its refresh hint is no time in seconds');
  return seconds;
}

/** What OpenSSL says of a key is for programmers, and stays the cause. */
function usable<Value>(what: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    const why = error instanceof Fault ? error.message : 'it is no public key';
    throw fault('SRV0602', { problem: `${what} cannot be read: ${why}` }, { cause: error });
  }
}

const unusable = (problem: string) => fault('SRV0602', { problem });
