import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { openssl, opensslMissing } from '../../test/support/openssl.js';
import { x509 } from '../../test/support/peculiar-x509.js';
import { isFault } from '../base/faults/fault.js';
import type { FaultCode } from '../base/faults/table.js';
import { toPem } from '../base/pem.js';
import type { Bundle } from '../spiffe/bundle.js';
import { parseTrustDomain, type SpiffeId, workloadId } from '../spiffe/id.js';
import { verifyX509Svid } from '../spiffe/verify-x509-svid.js';
import { createAuthority } from './authority.js';
import { x509AuthoritiesOf } from './authority-set.js';
import { issueX509Svid, type SvidRequest } from './issue-x509-svid.js';
import { newLocalKey } from './signing-key.js';

const trustDomain = parseTrustDomain('shop.example');
const web = workloadId(trustDomain, '/web');
const now = Date.UTC(2026, 5, 1, 12, 0, 0, 500);
const day = 86_400_000;
const authority = await createAuthority({ trustDomain, ttlSeconds: 86_400, now }, newLocalKey());
const bundle: Bundle = {
  trustDomain,
  x509Authorities: x509AuthoritiesOf({ x509: [authority] }),
  jwtAuthorities: [],
  sequence: 1n,
  refreshHint: 0,
};

const spkiOf = (key: KeyObject) => key.export({ format: 'der', type: 'spki' });
const p256 = spkiOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey);
const p384 = spkiOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey);
const rsa = spkiOf(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey);

const issue = (overrides: Partial<SvidRequest> = {}) =>
  issueX509Svid(authority, { id: web, publicKey: p256, dnsNames: [], ttlSeconds: 3600, now, ...overrides });

const issued = async (overrides: Partial<SvidRequest> = {}) => {
  const [der] = (await issue(overrides)).chain;
  assert.ok(der);
  return { der, peculiar: new x509.X509Certificate(Buffer.from(der)), node: new X509Certificate(der) };
};

async function refuses(code: FaultCode, overrides: Partial<SvidRequest>): Promise<void> {
  await assert.rejects(
    issue(overrides),
    (error) => isFault(error, code) || assert.fail(`not ${code} but ${error}`),
  );
}

/** Every extension by its object identifier: whether it is critical, and its content. */
const extensionsOf = (certificate: x509.X509Certificate) =>
  Object.fromEntries(
    certificate.extensions.map(({ type, critical, value }) => [
      type,
      [critical, Buffer.from(value).toString('hex')],
    ]),
  );

test('the authority has the profile of 4.3: XS-05, XS-08, XS-09, XS-10, ID-14', async () => {
  const certificate = new x509.X509Certificate(Buffer.from(authority.certificate));
  const serial = BigInt(`0x${certificate.serialNumber}`);
  assert.equal(certificate.subject, `C=US, O=SPIFFE, 2.5.4.5=${serial}`);
  assert.equal(certificate.issuer, certificate.subject);
  const uri = Buffer.from('spiffe://shop.example');
  assert.deepEqual(extensionsOf(certificate), {
    '2.5.29.15': [true, '03020106'],
    '2.5.29.19': [true, '30030101ff'],
    '2.5.29.14': [false, `0414${Buffer.from(authority.keyId).toString('hex')}`],
    '2.5.29.17': [
      false,
      `30${(uri.length + 2).toString(16)}86${uri.length.toString(16)}${uri.toString('hex')}`,
    ],
  });
  assert.equal(certificate.notBefore.getTime(), Date.UTC(2026, 5, 1, 11, 59, 51));
  assert.equal(certificate.notAfter.getTime(), Date.UTC(2026, 5, 2, 12, 0, 0));
});

test('an SVID has the profile of 4.3: XS-01, XS-08, XS-09, XS-11, XS-12, ID-15', async () => {
  const { peculiar } = await issued();
  assert.equal(peculiar.subject, 'C=US, O=SPIRE');
  assert.equal(peculiar.issuer, new x509.X509Certificate(Buffer.from(authority.certificate)).subject);
  const uri = Buffer.from(web);
  const keyId = Buffer.from(authority.keyId).toString('hex');
  assert.deepEqual(
    { ...extensionsOf(peculiar), '2.5.29.14': undefined },
    {
      '2.5.29.15': [true, '03020780'],
      '2.5.29.37': [false, '301406082b0601050507030106082b06010505070302'],
      '2.5.29.19': [true, '3000'],
      '2.5.29.14': undefined,
      '2.5.29.35': [false, `30168014${keyId}`],
      '2.5.29.17': [
        false,
        `30${(uri.length + 2).toString(16)}86${uri.length.toString(16)}${uri.toString('hex')}`,
      ],
    },
  );
});

test('what is issued verifies, here and with OpenSSL', { skip: opensslMissing() }, async () => {
  for (const publicKey of [p256, p384, rsa]) {
    const { chain, ...others } = await issue({ publicKey, dnsNames: ['web.shop.example'] });
    assert.deepEqual(verifyX509Svid(chain, bundle, now), others);
    const [der] = chain;
    assert.ok(der && new X509Certificate(der).verify(new X509Certificate(authority.certificate).publicKey));
    const text = openssl(['x509', '-noout', '-text'], toPem('CERTIFICATE', der)).output;
    assert.match(text, /URI:spiffe:\/\/shop\.example\/web\n/);
    assert.match(text, /DNS:web\.shop\.example/);
  }
});

test('XS-11: only an RSA key may also encipher', async () => {
  const { digitalSignature, keyEncipherment } = x509.KeyUsageFlags;
  const usage = async (publicKey: Uint8Array) =>
    (await issued({ publicKey })).peculiar.getExtension(x509.KeyUsagesExtension)?.usages;
  assert.equal(await usage(p256), digitalSignature);
  assert.equal(await usage(p384), digitalSignature);
  assert.equal(await usage(rsa), digitalSignature | keyEncipherment);
});

test('DNS names stand before the URI, and the first is the common name unless it is too long for one', async () => {
  const { peculiar } = await issued({ dnsNames: ['web.shop.example', '*.shop.example'] });
  assert.equal(peculiar.subject, 'C=US, O=SPIRE, CN=web.shop.example');
  const names = peculiar.getExtension(x509.SubjectAlternativeNameExtension)?.names.toJSON();
  assert.deepEqual(names, [
    { type: 'dns', value: 'web.shop.example' },
    { type: 'dns', value: '*.shop.example' },
    { type: 'url', value: web },
  ]);
  const long = `${'a'.repeat(60)}.example`;
  assert.equal((await issued({ dnsNames: [long] })).peculiar.subject, 'C=US, O=SPIRE');
});

test('a DNS name that is none never gets into a certificate', async () => {
  const bad = [
    '',
    '.',
    'a..b',
    'a b',
    'a\n',
    'ä.example',
    'a.*',
    '-a',
    'a-',
    'a'.repeat(64),
    'a,b',
    `${'a.'.repeat(126)}aa`,
  ];
  for (const name of bad) await refuses('CAS0105', { dnsNames: ['good.example', name] });
  assert.ok(await issue({ dnsNames: ['a', '_a.b-c.d', '1.2', 'a'.repeat(63), `${'a.'.repeat(126)}a`] }));
});

test('S4, XS-03: the ID is a workload of the own trust domain, and nothing else', async () => {
  await refuses('CAS0101', { id: 'spiffe://other.example/web' as SpiffeId });
  await refuses('IDN0109', { id: 'spiffe://shop.example' as SpiffeId });
  await refuses('IDN0107', { id: 'spiffe://shop.example/a/../web' as SpiffeId });
  await refuses('IDN0105', { id: 'spiffe://shop.example/web\n' as SpiffeId });
});

test('ID-10: an ID of 2048 bytes fits into an SVID', async () => {
  const id = workloadId(trustDomain, `/${'a'.repeat(2048 - 'spiffe://shop.example/'.length)}`);
  assert.equal(verifyX509Svid((await issue({ id })).chain, bundle, now).id.length, 2048);
});

test('S7: the key of the authority is not certified, and neither is a weak one', async () => {
  await refuses('CAS0102', { publicKey: authority.publicKey });
  await refuses('CAS0202', {
    publicKey: spkiOf(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey),
  });
  await refuses('CAS0202', { publicKey: spkiOf(generateKeyPairSync('ed25519').publicKey) });
});

test('S8: an SVID ends with its authority at the latest and starts at most ten seconds ago', async () => {
  const property = fc.asyncProperty(
    fc.integer({ min: authority.notBefore, max: authority.notAfter - 1 }),
    fc.integer({ min: 1, max: 10 * 86_400 }),
    async (at, ttlSeconds) => {
      const { notBefore, notAfter, chain } = await issue({ now: at, ttlSeconds });
      assert.ok(notBefore <= at && notBefore >= at - 10_000 && notBefore >= authority.notBefore);
      assert.ok(notAfter <= authority.notAfter && notAfter <= at + ttlSeconds * 1000);
      const { validFrom, validTo } = new X509Certificate(chain[0] ?? assert.fail());
      assert.deepEqual([Date.parse(validFrom), Date.parse(validTo)], [notBefore, notAfter]);
    },
  );
  await fc.assert(property, { numRuns: 50 });
});

test('S8: nothing is issued before an authority starts or after it has ended', async () => {
  await refuses('CAS0104', { now: authority.notAfter });
  await refuses('CAS0104', { now: authority.notAfter + day });
  await refuses('CAS0104', { now: authority.notBefore - 1 });
  assert.ok(await issue({ now: authority.notAfter - 1000 }));
});

test('a lifetime of less than a second is refused', async () => {
  for (const ttlSeconds of [0, -1, 0.5, Number.NaN]) await refuses('CAS0103', { ttlSeconds });
});

test('serial numbers are random, positive, of 128 bits, and reported as the certificate has them', async () => {
  const one = async () => {
    const { chain, serial } = await issue();
    const { serialNumber } = new X509Certificate(chain[0] ?? assert.fail());
    assert.equal(BigInt(`0x${serial}`), BigInt(`0x${serialNumber}`));
    assert.match(serial, /^[1-9a-f][0-9a-f]{20,31}$/);
    return serial;
  };
  const serials = await Promise.all(Array.from({ length: 200 }, one));
  assert.equal(new Set(serials).size, serials.length);
});

test('the year 2050 is written as RFC 5280 wants it', async () => {
  const at = Date.UTC(2049, 11, 31, 23, 59);
  const late = await createAuthority({ trustDomain, ttlSeconds: 86_400, now: at }, newLocalKey());
  const { chain } = await issueX509Svid(late, {
    id: web,
    publicKey: p256,
    dnsNames: [],
    ttlSeconds: 3600,
    now: at,
  });
  const [der] = chain;
  assert.ok(der);
  assert.equal(Date.parse(new X509Certificate(der).validTo), at + 3_600_000);
  assert.ok(Buffer.from(der).includes('491231') && Buffer.from(der).includes('20500101'));
});
