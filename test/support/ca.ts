import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';
import { toPem } from '../../src/base/pem.js';
import type { Bundle } from '../../src/spiffe/bundle.js';
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
  validity,
} from '../../src/spiffe/certificate-writer.js';
import { parseTrustDomain, type SpiffeId, type TrustDomain } from '../../src/spiffe/id.js';
import { keyUsageBits, oids } from '../../src/spiffe/oids.js';
import type { X509Svid } from '../../src/spiffe/x509-svid.js';

/**
 * A certificate authority for tests that signs whatever it is told, so that refusals can be tested:
 *
 *     const ca = testCa('shop.example');
 *     ca.svid('spiffe://shop.example/web')                                      // a good one
 *     ca.svid('spiffe://shop.example/web', { uris: ['spiffe://a/b', 'c:d'] })   // two URI names
 *     ca.svid('spiffe://shop.example/web', { uris: [], dns: ['spiffe://shop.example/web'] })
 *     ca.svid('spiffe://shop.example/web', { notAfter: Date.now() - 1000 })     // expired
 *     ca.svid('spiffe://shop.example/web', { ca: true })                        // a signing certificate
 *     ca.intermediate().svid('spiffe://shop.example/web')                       // with a chain of two
 */
export function testCa(trustDomain: string, overrides: CertificateOverrides = {}): TestCa {
  const name = parseTrustDomain(trustDomain);
  const made = certificate({ ...caDefaults(name, 'root'), ...overrides });
  return caOf(name, made, [], bundleOf(name, made.der));
}

export interface TestCa {
  readonly trustDomain: TrustDomain;
  readonly certificate: { readonly der: Uint8Array; readonly pem: string };
  readonly privateKey: KeyObject;
  /** Of the root, whichever CA of the chain this is. */
  readonly bundle: Bundle;
  readonly bundlePem: string;
  /** A certificate for `id`; everything in it can be overridden, also so that it is wrong. */
  svid(id: string, overrides?: CertificateOverrides): TestSvid;
  /** A CA below this one. */
  intermediate(overrides?: CertificateOverrides): TestCa;
}

export interface TestSvid {
  /** Of the leaf. */
  readonly der: Uint8Array;
  readonly pem: string;
  /** The leaf and the intermediates, without the root. */
  readonly chain: readonly Uint8Array[];
  readonly chainPem: string;
  readonly privateKey: KeyObject;
  readonly pkcs8: Uint8Array;
  readonly keyPem: string;
  /** The same as the program knows it; `id` is what was asked for, whatever the certificate says. */
  readonly svid: X509Svid;
}

export interface CertificateOverrides {
  uris?: readonly string[];
  dns?: readonly string[];
  /** Milliseconds since the Unix epoch; by default from a minute ago to an hour from now (CAs: a day). */
  notBefore?: number;
  notAfter?: number;
  /** Names of bits; `'none'` leaves the extension out. */
  keyUsage?: readonly (keyof typeof keyUsageBits)[] | 'none';
  /** Dotted object identifiers; `'none'` leaves the extension out. */
  extendedKeyUsage?: readonly string[] | 'none';
  /** Whether the subject key identifier is there; by default it is. */
  keyId?: boolean;
  ca?: boolean;
  pathLength?: number;
  /** By default a new P-256 key. */
  privateKey?: KeyObject;
  /** The common name of the subject. */
  commonName?: string;
  /** DER, replaces the extensions that would be there. */
  extensions?: readonly Uint8Array[];
  /** DER, beside the extensions that would be there. */
  moreExtensions?: readonly Uint8Array[];
  /** Big-endian. */
  serial?: Uint8Array;
}

type Content = Required<Omit<CertificateOverrides, 'pathLength' | 'extensions' | 'privateKey'>> &
  Pick<CertificateOverrides, 'pathLength' | 'extensions' | 'privateKey'>;

interface Made {
  der: Uint8Array;
  privateKey: KeyObject;
  subject: Uint8Array;
  keyId: Uint8Array;
}

const minute = 60_000;

function caDefaults(trustDomain: TrustDomain, role: string): Content {
  return {
    uris: [`spiffe://${trustDomain}`],
    dns: [],
    notBefore: Date.now() - minute,
    notAfter: Date.now() + 24 * 60 * minute,
    keyUsage: ['keyCertSign', 'cRLSign'],
    extendedKeyUsage: 'none',
    keyId: true,
    ca: true,
    commonName: `${role} ${randomBytes(4).toString('hex')}`,
    moreExtensions: [],
    serial: randomBytes(16),
  };
}

function svidDefaults(id: string): Content {
  return {
    uris: [id],
    dns: [],
    notBefore: Date.now() - minute,
    notAfter: Date.now() + 60 * minute,
    keyUsage: ['digitalSignature'],
    extendedKeyUsage: [oids.serverAuth, oids.clientAuth],
    keyId: true,
    ca: false,
    commonName: 'test',
    moreExtensions: [],
    serial: randomBytes(16),
  };
}

function certificate(content: Content, issuer?: Made): Made {
  const privateKey = content.privateKey ?? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  const keyId = createHash('sha256').update(spki).digest().subarray(0, 20);
  const subject = distinguishedName([oids.organization, 'Test'], [oids.commonName, content.commonName]);
  const tbs = toBeSigned({
    serial: content.serial,
    issuer: issuer?.subject ?? subject,
    subject,
    validity: validity(content.notBefore, content.notAfter),
    publicKey: spki,
    extensions: content.extensions ?? extensionsOf(content, keyId, issuer),
  });
  const der = signedCertificate(tbs, sign('sha256', tbs, issuer?.privateKey ?? privateKey));
  return { der, privateKey, subject, keyId };
}

function extensionsOf(content: Content, keyId: Uint8Array, issuer: Made | undefined): Uint8Array[] {
  const { uris, dns, keyUsage: usage, extendedKeyUsage: purposes } = content;
  const hasNames = uris.length + dns.length > 0;
  return [
    ...(usage === 'none' ? [] : [keyUsage(usage.map((name) => keyUsageBits[name]))]),
    ...(purposes === 'none' ? [] : [extendedKeyUsage(purposes)]),
    basicConstraints(content.ca, content.pathLength),
    ...(content.keyId ? [subjectKeyId(keyId)] : []),
    ...(issuer ? [authorityKeyId(issuer.keyId)] : []),
    ...(hasNames ? [subjectAltName({ uris, dnsNames: dns })] : []),
    ...content.moreExtensions,
  ];
}

function caOf(trustDomain: TrustDomain, made: Made, above: readonly Uint8Array[], bundle: Bundle): TestCa {
  return {
    trustDomain,
    certificate: { der: made.der, pem: certificatePem([made.der]) },
    privateKey: made.privateKey,
    bundle,
    bundlePem: certificatePem(bundle.x509Authorities.map(({ der }) => der)),
    svid: (id, overrides = {}) => svidOf(id, { ...svidDefaults(id), ...overrides }, made, above),
    intermediate: (overrides = {}) => {
      const next = certificate({ ...caDefaults(trustDomain, 'intermediate'), ...overrides }, made);
      return caOf(trustDomain, next, [next.der, ...above], bundle);
    },
  };
}

function svidOf(id: string, content: Content, issuer: Made, above: readonly Uint8Array[]): TestSvid {
  const { der, privateKey } = certificate(content, issuer);
  const chain = [der, ...above];
  const pkcs8 = privateKey.export({ format: 'der', type: 'pkcs8' });
  const { notBefore, notAfter } = content;
  return {
    der,
    pem: certificatePem([der]),
    chain,
    chainPem: certificatePem(chain),
    privateKey,
    pkcs8,
    keyPem: toPem('PRIVATE KEY', pkcs8),
    // Not parsed: a test may want a name that is no SPIFFE ID.
    svid: { id: id as SpiffeId, chain, privateKey: pkcs8, notBefore, notAfter },
  };
}

const certificatePem = (ders: readonly Uint8Array[]): string =>
  ders.map((der) => toPem('CERTIFICATE', der)).join('');

function bundleOf(trustDomain: TrustDomain, der: Uint8Array): Bundle {
  return {
    trustDomain,
    x509Authorities: [{ der, tainted: false }],
    jwtAuthorities: [],
    sequence: 1n,
    refreshHint: 0,
  };
}
