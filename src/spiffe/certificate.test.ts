import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { type CertificateOverrides, testCa } from '../../test/support/ca.js';
import { oneValueMore } from '../../test/support/one-value-more.js';
import { x509 } from '../../test/support/peculiar-x509.js';
import * as der from '../base/der/writer.js';
import { isFault } from '../base/faults/fault.js';
import { readCertificate } from './certificate.js';
import { extension } from './certificate-writer.js';
import { keyUsageBits, oids } from './oids.js';

const web = 'spiffe://shop.example/web';
const ca = testCa('shop.example');

const usages = Object.keys(keyUsageBits) as (keyof typeof keyUsageBits)[];
const second = fc.integer({ min: Date.UTC(1950, 0, 1) / 1000, max: Date.UTC(9999, 11, 31) / 1000 });
const variants: fc.Arbitrary<CertificateOverrides> = fc.record({
  serial: fc.uint8Array({ minLength: 1, maxLength: 19 }),
  notBefore: second.map((value) => value * 1000),
  notAfter: second.map((value) => value * 1000),
  uris: fc.array(fc.webUrl(), { maxLength: 3 }),
  dns: fc.array(fc.domain(), { maxLength: 3 }),
  keyUsage: fc.oneof(fc.constant<'none'>('none'), fc.subarray(usages, { minLength: 1 })),
  ca: fc.boolean(),
  commonName: fc.string({ minLength: 1, maxLength: 20 }),
});

test('a certificate is read as Node and @peculiar/x509 read it', () => {
  const property = fc.property(variants, (overrides) => {
    const made = ca.svid(web, overrides);
    const ours = readCertificate(made.der);
    const node = new X509Certificate(made.der);
    const peculiar = new x509.X509Certificate(Buffer.from(made.der));
    assert.equal(BigInt(`0x${ours.serial}`), BigInt(`0x${node.serialNumber}`));
    assert.equal(ours.notBefore, peculiar.notBefore.getTime());
    assert.equal(ours.notAfter, peculiar.notAfter.getTime());
    assert.equal(ours.isCa, peculiar.getExtension(x509.BasicConstraintsExtension)?.ca);
    assert.deepEqual(Buffer.from(ours.publicKey), Buffer.from(peculiar.publicKey.rawData));
    const names = peculiar.getExtension(x509.SubjectAlternativeNameExtension)?.names.items ?? [];
    assert.deepEqual(
      ours.uris,
      names.filter(({ type }) => type === 'url').map(({ value }) => value),
    );
    const usage = peculiar.getExtension(x509.KeyUsagesExtension)?.usages;
    const bits = [...(ours.keyUsage ?? [])].reduce((sum, bit) => sum | (1 << bit), 0);
    assert.equal(ours.keyUsage === undefined ? undefined : bits, usage);
  });
  fc.assert(property, { numRuns: 100 });
});

test('a certificate whose basic constraints say FALSE in full is read, as others write it', () => {
  const explicit = extension(oids.basicConstraints, false, der.sequence(der.value(0x01, Buffer.of(0))));
  assert.equal(readCertificate(ca.svid(web, { extensions: [explicit] }).der).isCa, false);
});

test('one value too many anywhere in what is read is refused', () => {
  const { der: good } = ca.svid(web);
  // Names and the public key are taken whole: /0/3, /0/5 and /0/6.
  const read = oneValueMore(good).filter(({ at }) => !/^\/0\/[356]/.test(at));
  assert.ok(read.length > 10);
  const contents = {
    [oids.basicConstraints]: der.sequence(der.booleanTrue(), der.small(0)),
    [oids.extendedKeyUsage]: der.sequence(der.oid(oids.serverAuth)),
    [oids.subjectAltName]: der.sequence(der.implicit(6, Buffer.from(web))),
  };
  const inExtensions = Object.entries(contents).flatMap(([oid, content]) =>
    oneValueMore(content).map((variant) => ({
      at: `${oid}${variant.at}`,
      der: ca.svid(web, { extensions: [extension(oid, false, variant.der)] }).der,
    })),
  );
  for (const { at, der: bytes } of [...read, ...inExtensions]) {
    assert.throws(
      () => readCertificate(bytes),
      (error) => isFault(error, 'IDN0201'),
      at,
    );
  }
});

test('XS-01: a second URI in a form that only a lenient reader would see is refused', () => {
  const hidden = der.value(0xa6, der.value(0x16, Buffer.from('spiffe://shop.example/admin')));
  const names = der.sequence(der.implicit(6, Buffer.from(web)), hidden);
  const { der: bytes } = ca.svid(web, { extensions: [extension(oids.subjectAltName, false, names)] });
  assert.throws(
    () => readCertificate(bytes),
    (error) => isFault(error, 'IDN0201'),
  );
});

test('the algorithm outside of the signed part is the one inside', () => {
  const bytes = Buffer.from(ca.certificate.der);
  const oid = der.oid(oids.ecdsaWithSha256);
  bytes.set(der.oid(oids.ecdsaWithSha384), bytes.lastIndexOf(oid));
  assert.throws(
    () => readCertificate(bytes),
    (error) => isFault(error, 'IDN0201'),
  );
});

test('what RFC 5280 does not allow is refused', () => {
  const withExtension = (oid: string, content: Uint8Array) =>
    ca.svid(web, { extensions: [extension(oid, false, content)] }).der;
  const broken: Record<string, Uint8Array> = {
    'a serial number of 21 bytes': ca.svid(web, { serial: Buffer.alloc(21, 1) }).der,
    'a boolean of another value': withExtension(
      oids.basicConstraints,
      der.sequence(der.value(0x01, Buffer.of(1))),
    ),
    'bytes after an extension': withExtension(
      oids.keyUsage,
      Buffer.concat([der.flags([0]), Buffer.of(5, 0)]),
    ),
    'a key usage that is no bit string': withExtension(oids.keyUsage, der.octetString(Buffer.of(0x80))),
    'an alternative name that is no list': withExtension(
      oids.subjectAltName,
      der.implicit(6, Buffer.from(web)),
    ),
    'two certificates': Buffer.concat([ca.certificate.der, ca.certificate.der]),
    nothing: Buffer.alloc(0),
  };
  for (const [what, bytes] of Object.entries(broken)) {
    assert.throws(
      () => readCertificate(bytes),
      (error) => isFault(error, 'IDN0201'),
      what,
    );
  }
});
