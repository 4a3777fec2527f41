import { randomBytes } from 'node:crypto';
import { type Fault, fault } from '../base/faults/fault.js';
import { readCertificate } from '../spiffe/certificate.js';
import {
  basicConstraints,
  distinguishedName,
  keyUsage,
  signedCertificate,
  subjectAltName,
  subjectKeyId,
  toBeSigned,
  validity,
} from '../spiffe/certificate-writer.js';
import { type TrustDomain, trustDomainId } from '../spiffe/id.js';
import { keyUsageBits, oids } from '../spiffe/oids.js';
import { parsePublicKey } from './public-key.js';
import { type MissingKey, type SigningKey, signWith } from './signing-key.js';

/** A signing authority of a trust domain: its CA certificate and the key that signs SVIDs. */
export interface Authority {
  readonly trustDomain: TrustDomain;
  /** DER. */
  readonly certificate: Uint8Array;
  readonly key: SigningKey | MissingKey;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
  /** DER name; the issuer of what it signs. */
  readonly subject: Uint8Array;
  readonly keyId: Uint8Array;
  /** Milliseconds since the Unix epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** An authority that can sign. */
export type SigningAuthority = Authority & { readonly key: SigningKey };

export interface AuthorityRequest {
  trustDomain: TrustDomain;
  ttlSeconds: number;
  /** Milliseconds since the Unix epoch. */
  now: number;
}

/** How far before the moment of issuing a certificate starts to be valid, for clocks that run behind. */
export const backdateMs = 10_000;

/**
 * Makes a self-signed authority of a new P-256 key, in the profile of SPIRE's own CA and with the trust domain's SPIFFE ID
 * (SPIFFE-ID §3.1, X509-SVID §3.2, §4).
 */
export async function createAuthority(
  { trustDomain, ttlSeconds, now }: AuthorityRequest,
  key: SigningKey,
): Promise<SigningAuthority> {
  const { spki, keyId } = parsePublicKey(key.publicKey);
  const serial = randomBytes(16);
  const name = distinguishedName(
    [oids.country, 'US'],
    [oids.organization, 'SPIFFE'],
    [oids.serialNumber, BigInt(`0x${serial.toString('hex')}`).toString()],
  );
  const tbs = toBeSigned({
    serial,
    issuer: name,
    subject: name,
    validity: validity(wholeSecondAfter(now - backdateMs), now + ttlSeconds * 1000),
    publicKey: spki,
    extensions: [
      keyUsage([keyUsageBits.keyCertSign, keyUsageBits.cRLSign]),
      basicConstraints(true),
      subjectKeyId(keyId),
      subjectAltName({ uris: [trustDomainId(trustDomain)], dnsNames: [] }),
    ],
  });
  return authorityOf(trustDomain, signedCertificate(tbs, await signWith(key, tbs)), key);
}

/** Puts an authority together from a CA certificate and its private key, which must belong to each other. */
export function authorityOf<Key extends Authority['key']>(
  trustDomain: TrustDomain,
  der: Uint8Array,
  key: Key,
): Authority & { readonly key: Key } {
  const { publicKey, subject, notBefore, notAfter } = readCertificate(der);
  const { keyId } = parsePublicKey(publicKey);
  return { trustDomain, certificate: der, key, publicKey, subject, keyId, notBefore, notAfter };
}

/** Certificates count whole seconds; rounding up keeps the back-dating within its limit. */
export const wholeSecondAfter = (ms: number): number => Math.ceil(ms / 1000) * 1000;

export const noAuthorityAt = (now: number): Fault => fault('CAS0104', { at: new Date(now).toISOString() });
