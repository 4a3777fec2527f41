import assert from 'node:assert/strict';
import { generateKeyPairSync, sign, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { openssl, opensslMissing } from '../../test/support/openssl.js';
import { x509 } from '../../test/support/peculiar-x509.js';
import { toPem } from '../base/pem.js';
import { readCertificate } from '../spiffe/certificate.js';
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
} from '../spiffe/certificate-writer.js';
import { parseTrustDomain, workloadId } from '../spiffe/id.js';
import { keyUsageBits, oids } from '../spiffe/oids.js';
import { createAuthority } from './authority.js';
import { parsePublicKey } from './public-key.js';
import { newLocalKey } from './signing-key.js';
import { type SvidContent, svidTemplate } from './svid-template.js';

const trustDomain = parseTrustDomain('shop.example');
const now = Date.UTC(2026, 5, 1);
const issuerKey = newLocalKey();
const authority = await createAuthority({ trustDomain, ttlSeconds: 86_400, now }, issuerKey);
const template = svidTemplate(authority);

const keys = [
  generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  generateKeyPairSync('rsa', { modulusLength: 2048 }),
].map(({ publicKey }) => parsePublicKey(publicKey.export({ format: 'der', type: 'spki' })));

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/);
const content: fc.Arbitrary<SvidContent> = fc.record({
  // Leading zeros and a set highest bit included.
  serial: fc.uint8Array({ minLength: 16, maxLength: 16 }).filter((bytes) => bytes.some((byte) => byte !== 0)),
  notBefore: fc.integer({ min: 0, max: Date.UTC(2049, 0) / 1000 }).map((seconds) => seconds * 1000),
  notAfter: fc.integer({ min: Date.UTC(2049, 0) / 1000, max: Date.UTC(2055, 0) / 1000 }).map((s) => s * 1000),
  key: fc.constantFrom(...keys),
  id: fc
    .array(fc.stringMatching(/^[A-Za-z0-9_-]{1,40}$/), { minLength: 1, maxLength: 8 })
    .map((segments) => workloadId(trustDomain, `/${segments.join('/')}`)),
  dnsNames: fc.array(
    fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join('.')),
    {
      maxLength: 4,
    },
  ),
});

/** The same without a template, extension by extension. */
function byHand({ serial, notBefore, notAfter, key, id, dnsNames }: SvidContent): Uint8Array {
  const [first] = dnsNames;
  const { digitalSignature, keyEncipherment } = keyUsageBits;
  return toBeSigned({
    serial,
    issuer: authority.subject,
    subject: distinguishedName(
      [oids.country, 'US'],
      [oids.organization, 'SPIRE'],
      ...(first === undefined || first.length > 64 ? [] : [[oids.commonName, first] as [string, string]]),
    ),
    validity: validity(notBefore, notAfter),
    publicKey: key.spki,
    extensions: [
      keyUsage(key.kind === 'RSA' ? [digitalSignature, keyEncipherment] : [digitalSignature]),
      extendedKeyUsage([oids.serverAuth, oids.clientAuth]),
      basicConstraints(false),
      subjectKeyId(key.keyId),
      authorityKeyId(authority.keyId),
      subjectAltName({ uris: [id], dnsNames }),
    ],
  });
}

test('the template writes what writing every part by itself gives, whatever the SVID', () => {
  fc.assert(
    fc.property(content, (svid) => assert.deepEqual(template(svid), byHand(svid))),
    { numRuns: 300 },
  );
});

const signed = (svid: SvidContent) => {
  const tbs = template(svid);
  return signedCertificate(tbs, sign('sha256', tbs, issuerKey.privateKey));
};

test('our reader, Node and @peculiar/x509 read from it what went in', () => {
  const property = fc.property(content, (svid) => {
    const der = signed(svid);
    const serial = BigInt(`0x${Buffer.from(svid.serial).toString('hex')}`);
    const ours = readCertificate(der);
    assert.deepEqual([ours.uris, ours.notBefore, ours.notAfter], [[svid.id], svid.notBefore, svid.notAfter]);
    assert.deepEqual([BigInt(`0x${ours.serial}`), ours.publicKey], [serial, svid.key.spki]);
    const node = new X509Certificate(der);
    const names = [...svid.dnsNames.map((name) => `DNS:${name}`), `URI:${svid.id}`].join(', ');
    assert.equal(node.subjectAltName, names);
    assert.deepEqual([Date.parse(node.validFrom), Date.parse(node.validTo)], [svid.notBefore, svid.notAfter]);
    assert.ok(node.verify(new X509Certificate(authority.certificate).publicKey) && !node.ca);
    const peculiar = new x509.X509Certificate(Buffer.from(der));
    assert.equal(BigInt(`0x${peculiar.serialNumber}`), serial);
    assert.deepEqual(peculiar.notAfter.getTime(), svid.notAfter);
    const alternative = peculiar.getExtension(x509.SubjectAlternativeNameExtension)?.names.toJSON();
    const dns = svid.dnsNames.map((value) => ({ type: 'dns', value }));
    assert.deepEqual(alternative, [...dns, { type: 'url', value: svid.id }]);
  });
  fc.assert(property, { numRuns: 60 });
});

test('OpenSSL reads and verifies it', { skip: opensslMissing() }, () => {
  for (const svid of fc.sample(content, 6)) {
    const { ok, output } = openssl(['x509', '-noout', '-text'], toPem('CERTIFICATE', signed(svid)));
    assert.ok(ok, output);
    assert.ok(output.includes(`URI:${svid.id}`), output);
    for (const name of svid.dnsNames) assert.ok(output.includes(`DNS:${name}`), output);
  }
});
