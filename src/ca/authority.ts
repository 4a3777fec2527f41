import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { type Fault, fault } from '../base/faults/fault.js';
import { readCertificate } from '../spiffe/certificate.js';
import {
  basicConstraints,
  distinguishedName,
  keyUsage,
  signCertificate,
  subjectAltName,
  subjectKeyId,
} from '../spiffe/certificate-writer.js';
import { type TrustDomain, trustDomainId } from '../spiffe/id.js';
import { keyUsageBits, oids } from '../spiffe/oids.js';
import { parsePublicKey } from './public-key.js';

/** A signing authority of a trust domain: its CA certificate and the key that signs SVIDs. */
export interface Authority {
  readonly trustDomain: TrustDomain;
  /** DER. */
  readonly certificate: Uint8Array;
  /** P-256. */
  readonly privateKey: KeyObject;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
  /** DER name; the issuer of what it signs. */
  readonly subject: Uint8Array;
  readonly keyId: Uint8Array;
  /** Milliseconds since the Unix epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
}

export interface AuthorityRequest {
  trustDomain: TrustDomain;
  ttlSeconds: number;
  /** Milliseconds since the Unix epoch. */
  now: number;
}

/** How far before the moment of issuing a certificate starts to be valid, for clocks that run behind. */
export const backdateMs = 10_000;

/**
 * Makes a self-signed authority with a new P-256 key, in the profile of SPIRE's own CA and with the trust domain's SPIFFE ID
 * (SPIFFE-ID §3.1, X509-SVID §3.2, §4).
 */
export function createAuthority({ trustDomain, ttlSeconds, now }: AuthorityRequest): Authority {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { spki, keyId } = parsePublicKey(pair.publicKey.export({ format: 'der', type: 'spki' }));
  const serial = randomBytes(16);
  const name = distinguishedName(
    [oids.country, 'US'],
    [oids.organization, 'SPIFFE'],
    [oids.serialNumber, BigInt(`0x${serial.toString('hex')}`).toString()],
  );
  const content = {
    serial,
    issuer: name,
    subject: name,
    notBefore: wholeSecondAfter(now - backdateMs),
    notAfter: now + ttlSeconds * 1000,
    publicKey: spki,
    extensions: [
      keyUsage([keyUsageBits.keyCertSign, keyUsageBits.cRLSign]),
      basicConstraints(true),
      subjectKeyId(keyId),
      subjectAltName({ uris: [trustDomainId(trustDomain)], dnsNames: [] }),
    ],
  };
  return authorityOf(trustDomain, signCertificate(content, pair.privateKey), pair.privateKey);
}

/** Puts an authority together from a CA certificate and its private key, which must belong to each other. */
export function authorityOf(trustDomain: TrustDomain, der: Uint8Array, privateKey: KeyObject): Authority {
  const { publicKey, subject, notBefore, notAfter } = readCertificate(der);
  const { keyId } = parsePublicKey(publicKey);
  return { trustDomain, certificate: der, privateKey, publicKey, subject, keyId, notBefore, notAfter };
}

/** Certificates count whole seconds; rounding up keeps the back-dating within its limit. */
export const wholeSecondAfter = (ms: number): number => Math.ceil(ms / 1000) * 1000;

export const noAuthorityAt = (now: number): Fault => fault('CAS0104', { at: new Date(now).toISOString() });
