import { readCertificate } from '../../spiffe/certificate.js';
import type { MessageOut } from '../../wire/names.js';
import { serviceDefinition } from '../../wire/services.js';
import { instant } from '../times.js';

export type BundleMessage = MessageOut<'spire.api.types.Bundle'>;

export const bundleApi = serviceDefinition('spire.api.server.bundle.v1.Bundle');

/** A bundle as programs are given it: what is in it, not the keys themselves. */
export function bundleFields(bundle: BundleMessage) {
  const {
    trust_domain = '',
    x509_authorities = [],
    jwt_authorities = [],
    sequence_number,
    refresh_hint,
  } = bundle;
  return {
    trustDomain: trust_domain,
    x509Authorities: x509_authorities.length,
    jwtAuthorities: jwt_authorities.length,
    // As a text: it has 64 bits.
    sequence: String(sequence_number ?? '0'),
    refreshHint: Number(refresh_hint ?? 0),
    expiresAt: instant(lastEnd(bundle)),
  };
}

/** Seconds since the Unix epoch: when the last of its X.509 authorities ends; 0 without one. */
export function lastEnd({ x509_authorities = [] }: BundleMessage): number {
  const ends = x509_authorities.map(({ asn1 }) => readCertificate(asn1 ?? new Uint8Array()).notAfter);
  return Math.floor(Math.max(0, ...ends) / 1000);
}
