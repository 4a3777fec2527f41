import { X509Certificate } from 'node:crypto';
import { fault } from '../base/faults/fault.js';
import type { Bundle } from '../spiffe/bundle.js';
import { bundleToPem } from '../spiffe/bundle-pem.js';
import { mayIssue, readCertificate } from '../spiffe/certificate.js';
import type { SpiffeId } from '../spiffe/id.js';
import { anyOf } from '../wire/messages.js';
import type { MessageIn } from '../wire/names.js';
import { sealSecret } from './seal-secret.js';
import type { CheckedSecret } from './secret.js';

/**
 * One trust domain's bundle as a validation context with a plain `trusted_ca`, for Envoys without the SPIFFE validator. Never
 * several: in one pool an authority of one trust domain could vouch for names of another. Throws ENV0201, ENV0202 and, for what is no certificate, IDN0201.
 */
export function plainValidationContext(name: string, bundle: Bundle): CheckedSecret {
  const pem = checkedPem(bundle);
  if (pem === '') throw fault('ENV0201', { name });
  return sealSecret(name, { validation_context: { trusted_ca: inline(pem) } });
}

/**
 * Bundles as a validation context with Envoy's SPIFFE validator, which verifies each certificate with the bundle of its own
 * trust domain only. A bundle without X.509 authorities is left out, since Envoy would refuse the whole and keep the old
 * authorities.
 *
 * `callers` is for TCP services only: whoever is not in it is refused in the handshake, before a server that speaks first has
 * said a word (RBAC would be too late). Nobody is in an empty one. Elsewhere it stays out: Envoy merges the names with a pin in
 * its own configuration and so widens it. Throws ENV0201 when nothing is left, ENV0202, ENV0203, IDN0201.
 */
export function spiffeValidationContext(
  name: string,
  bundles: readonly Bundle[],
  callers?: readonly SpiffeId[],
): CheckedSecret {
  const domains = new Map<string, string>();
  for (const bundle of bundles) {
    if (domains.has(bundle.trustDomain)) throw fault('ENV0203', { name, trustDomain: bundle.trustDomain });
    domains.set(bundle.trustDomain, checkedPem(bundle));
  }
  const trustDomains = [...domains]
    .filter(([, pem]) => pem !== '')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([trustDomain, pem]) => ({ name: trustDomain, trust_bundle: inline(pem) }));
  if (trustDomains.length === 0) throw fault('ENV0201', { name });
  const validator = anyOf('envoy.extensions.transport_sockets.tls.v3.SPIFFECertValidatorConfig', {
    trust_domains: trustDomains,
  });
  return sealSecret(name, {
    validation_context: {
      custom_validator_config: { name: spiffeValidator, typed_config: validator },
      ...(callers && { match_typed_subject_alt_names: matchersOf(callers) }),
    },
  });
}

/** No list at all lets every certificate in, so an empty one has a name that none can have: it is no SPIFFE ID. */
function matchersOf(callers: readonly SpiffeId[]): MessageIn<typeof sanMatcher>[] {
  const names = callers.length === 0 ? ['nobody'] : [...new Set<string>(callers)].sort();
  return names.map((exact) => ({ san_type: 'URI', matcher: { exact } }));
}

const sanMatcher = 'envoy.extensions.transport_sockets.tls.v3.SubjectAltNameMatcher';

// Envoy looks the validator up by this name, not by the type of its configuration.
const spiffeValidator = 'envoy.tls.cert_validator.spiffe';

const remembered = new WeakMap<Bundle, string>();

/** The authorities in canonical PEM, each checked to be one. Remembered with the bundle. */
function checkedPem(bundle: Bundle): string {
  const pem = remembered.get(bundle) ?? checkAll(bundle);
  remembered.set(bundle, pem);
  return pem;
}

function checkAll(bundle: Bundle): string {
  for (const { der } of bundle.x509Authorities) {
    const certificate = readCertificate(der);
    const { subjectKeyId, serial } = certificate;
    const refuse = (problem: string) =>
      fault('ENV0202', { trustDomain: bundle.trustDomain, serial, problem });
    // Envoy does not insist: with a leaf in the bundle, whoever holds its key was let in.
    if (!mayIssue(certificate)) throw refuse('it may not sign certificates');
    if (!subjectKeyId) throw refuse('it has no subject key identifier');
    if (!isReadable(der)) throw refuse('OpenSSL cannot read its public key');
  }
  return bundleToPem(bundle);
}

function isReadable(der: Uint8Array): boolean {
  try {
    return new X509Certificate(der).publicKey.type === 'public';
  } catch {
    return false;
  }
}

function inline(pem: string): { inline_bytes: Buffer } {
  return { inline_bytes: Buffer.from(pem) };
}
