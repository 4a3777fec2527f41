import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { testCa } from '../../test/support/ca.js';
import { isFault } from '../base/faults/fault.js';
import type { FaultCode } from '../base/faults/table.js';
import { bundleFromPem, bundleSha256, bundleToPem } from './bundle-pem.js';
import { parseTrustDomain } from './id.js';

const trustDomain = parseTrustDomain('shop.example');
const cas = [testCa('shop.example'), testCa('shop.example'), testCa('shop.example')];
const [first, second] = cas.map(({ certificate }) => certificate.pem);
assert.ok(first && second);

function refuses(code: FaultCode, pem: string): void {
  assert.throws(
    () => bundleFromPem(trustDomain, pem),
    (error) => isFault(error, code),
    pem,
  );
}

test('a bundle comes back from PEM with its authorities', () => {
  const bundle = bundleFromPem(trustDomain, first + second);
  assert.equal(bundle.x509Authorities.length, 2);
  assert.deepEqual(
    bundleFromPem(trustDomain, bundleToPem(bundle)),
    bundleFromPem(trustDomain, bundleToPem(bundle)),
  );
  assert.equal(bundleToPem(bundleFromPem(trustDomain, bundleToPem(bundle))), bundleToPem(bundle));
});

test('the canonical PEM, and so the SHA-256, does not depend on order, repetition or line breaks', () => {
  const pems = cas.map(({ certificate }) => certificate.pem);
  const canonical = bundleToPem(bundleFromPem(trustDomain, pems.join('')));
  const texts = fc.tuple(
    fc.shuffledSubarray([...pems, ...pems], { minLength: 6, maxLength: 6 }),
    fc.constantFrom('\n', '\r\n'),
    fc.constantFrom('', 'subject=CN = root\n', '\n\n'),
  );
  const property = fc.property(texts, ([parts, lineBreak, between]) => {
    const bundle = bundleFromPem(trustDomain, parts.join(between).replaceAll('\n', lineBreak));
    assert.equal(bundleToPem(bundle), canonical);
    assert.equal(bundleSha256(bundle), createHash('sha256').update(canonical).digest('hex'));
  });
  fc.assert(property, { numRuns: 50 });
});

test('another authority gives another SHA-256', () => {
  const [one, two] = [first, second].map((pem) => bundleSha256(bundleFromPem(trustDomain, pem)));
  assert.notEqual(one, two);
});

test('a file without certificates, with a private key, or with an SVID is refused', () => {
  const svid = testCa('shop.example').svid('spiffe://shop.example/web');
  refuses('IDN0301', '');
  refuses('IDN0301', 'no certificate here\n');
  refuses('IDN0301', first + svid.keyPem);
  refuses('IDN0302', first + svid.pem);
  refuses('IDN0302', testCa('shop.example', { keyUsage: ['cRLSign'] }).bundlePem);
  refuses('IDN0302', testCa('shop.example', { ca: false }).bundlePem);
});

test('a file that is broken anywhere is refused as a whole', () => {
  refuses('IDN0301', first.replace('-----END CERTIFICATE-----\n', '') + second);
  refuses('IDN0301', first + second.replace('-----BEGIN CERTIFICATE-----', '-----BEGIN CERTIFICATE----'));
  refuses('IDN0301', first.replace('MII', 'M*I'));
  refuses('IDN0301', first.replace('END CERTIFICATE', 'END CRL'));
  refuses('IDN0201', first.replace('MII', 'NII'));
  refuses('IDN0301', first.slice(0, -30));
});
