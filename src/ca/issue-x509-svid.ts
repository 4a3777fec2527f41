import { randomBytes } from 'node:crypto';
import { fault } from '../base/faults/fault.js';
import {
  authorityKeyId,
  basicConstraints,
  distinguishedName,
  extendedKeyUsage,
  keyUsage,
  signedCertificate,
  subjectAltName,
  subjectKeyId,
  toBeSigned,
} from '../spiffe/certificate-writer.js';
import { parseWorkloadId, type SpiffeId, trustDomainOf } from '../spiffe/id.js';
import { keyUsageBits, oids } from '../spiffe/oids.js';
import { backdateMs, noAuthorityAt, type SigningAuthority, wholeSecondAfter } from './authority.js';
import { parsePublicKey } from './public-key.js';
import { signWith } from './signing-key.js';

export interface SvidRequest {
  id: SpiffeId;
  /** SubjectPublicKeyInfo, DER. */
  publicKey: Uint8Array;
  dnsNames: readonly string[];
  /** Shortened where the authority ends earlier. */
  ttlSeconds: number;
  /** Milliseconds since the Unix epoch. */
  now: number;
}

export interface IssuedSvid {
  readonly id: SpiffeId;
  /** DER certificates, the leaf first, the root left out. */
  readonly chain: readonly Uint8Array[];
  /** Lower-case hexadecimal without leading zeros. */
  readonly serial: string;
  /** Milliseconds since the Unix epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/**
 * Issues an X.509-SVID in SPIRE's profile (C=US, O=SPIRE, the first DNS name as common name), except that keys of curves get
 * digitalSignature only: the rest of SPIRE's key usage means something for RSA alone. Everything in it comes from the
 * request and nothing from a CSR. Throws IDN0109 and CAS0101 to CAS0106, CAS0201, CAS0202.
 */
export async function issueX509Svid(authority: SigningAuthority, request: SvidRequest): Promise<IssuedSvid> {
  const id = parseWorkloadId(request.id);
  if (trustDomainOf(id) !== authority.trustDomain) {
    throw fault('CAS0101', { id, trustDomain: authority.trustDomain });
  }
  const key = parsePublicKey(request.publicKey);
  if (Buffer.compare(key.keyId, authority.keyId) === 0) throw fault('CAS0102', { id });
  const { notBefore, notAfter } = windowOf(authority, request);
  const serial = randomBytes(16);
  const tbs = toBeSigned({
    serial,
    issuer: authority.subject,
    subject: subjectOf(request.dnsNames),
    notBefore,
    notAfter,
    publicKey: key.spki,
    extensions: [
      key.kind === 'RSA' ? rsaKeyUsage : curveKeyUsage,
      purposes,
      noCa,
      subjectKeyId(key.keyId),
      authorityKeyId(authority.keyId),
      subjectAltName({ uris: [id], dnsNames: request.dnsNames.map(checkedDnsName) }),
    ],
  });
  const leaf = signedCertificate(tbs, await signWith(authority.key, tbs));
  return { id, chain: [leaf], serial: serial.toString('hex').replace(/^0+/, ''), notBefore, notAfter };
}

const curveKeyUsage = keyUsage([keyUsageBits.digitalSignature]);
const rsaKeyUsage = keyUsage([keyUsageBits.digitalSignature, keyUsageBits.keyEncipherment]);
const purposes = extendedKeyUsage([oids.serverAuth, oids.clientAuth]);
const noCa = basicConstraints(false);

/** Both ends within the authority's own life; nothing is issued outside of it. */
function windowOf(authority: SigningAuthority, { now, ttlSeconds }: SvidRequest) {
  if (!(ttlSeconds >= 1)) throw fault('CAS0103', { ttl: ttlSeconds });
  if (!(now >= authority.notBefore && now < authority.notAfter)) throw noAuthorityAt(now);
  const end = Math.floor((now + ttlSeconds * 1000) / 1000) * 1000;
  return {
    notBefore: Math.max(wholeSecondAfter(now - backdateMs), authority.notBefore),
    notAfter: Math.min(end, authority.notAfter),
  };
}

/** The upper bound of a common name (RFC 5280, appendix A.1). */
const maxCommonName = 64;

function subjectOf([first]: readonly string[]): Uint8Array {
  if (first === undefined || first.length > maxCommonName) return plainSubject;
  return distinguishedName(...plainAttributes, [oids.commonName, first]);
}

const plainAttributes: [string, string][] = [
  [oids.country, 'US'],
  [oids.organization, 'SPIRE'],
];
const plainSubject = distinguishedName(...plainAttributes);

function checkedDnsName(name: string): string {
  const label = /^(?:\*|[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)$/;
  if (
    name.length > 253 ||
    !name.split('.').every((part, i) => label.test(part) && (i === 0 || part !== '*'))
  ) {
    throw fault('CAS0105', { name });
  }
  return name;
}
