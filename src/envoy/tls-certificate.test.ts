import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { testCa } from '../../test/support/ca.js';
import { isFault } from '../base/faults/fault.js';
import type { FaultCode } from '../base/faults/table.js';
import type { SpiffeId } from '../spiffe/id.js';
import type { X509Svid } from '../spiffe/x509-svid.js';
import { decode } from '../wire/messages.js';
import { tlsCertificate } from './tls-certificate.js';

const ca = testCa('shop.example');
const web = 'spiffe://shop.example/web';
const now = Date.now();

function refuses(code: FaultCode, svid: X509Svid, atMs = now): void {
  assert.throws(
    () => tlsCertificate('default', svid, atMs),
    (error: Error) => isFault(error, code),
  );
}

test('an SVID becomes a secret with its chain and key, and nothing else', () => {
  const below = ca.intermediate();
  const { svid, chainPem, keyPem } = below.svid(web);
  const { name, version, any } = tlsCertificate('default', svid, now);
  assert.match(version, /^[0-9a-f]{32}$/);
  const { type_url, value } = decode('google.protobuf.Any', any);
  assert.equal(type_url, 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret');
  assert.deepEqual(decode('envoy.extensions.transport_sockets.tls.v3.Secret', value ?? Buffer.alloc(0)), {
    name,
    type: 'tls_certificate',
    tls_certificate: {
      certificate_chain: { inline_bytes: Buffer.from(chainPem), specifier: 'inline_bytes' },
      private_key: { inline_bytes: Buffer.from(keyPem), specifier: 'inline_bytes' },
    },
  });
  assert.equal(chainPem.match(/BEGIN CERTIFICATE/g)?.length, 2);
});

test('an SVID is encoded once a name, and a renewed one has another version', () => {
  const { svid } = ca.svid(web);
  const secret = tlsCertificate('default', svid, now);
  assert.equal(tlsCertificate('default', svid, now), secret);
  assert.notEqual(tlsCertificate(web, svid, now).version, secret.version);
  assert.notEqual(tlsCertificate('default', ca.svid(web).svid, now).version, secret.version);
});

test('a certificate of another identity is refused', () => {
  refuses('ENV0101', { ...ca.svid(web).svid, id: 'spiffe://shop.example/orders' as SpiffeId });
});

test('a leaf that is no SVID is refused', () => {
  refuses('IDN0203', ca.svid(web, { uris: [web, 'spiffe://shop.example/admin'] }).svid);
  refuses('IDN0204', ca.svid(web, { ca: true }).svid);
  refuses('IDN0202', { ...ca.svid(web).svid, chain: [] });
  refuses('IDN0201', { ...ca.svid(web).svid, chain: [Buffer.from('junk')] });
});

test('a chain out of order, or with a certificate that is no CA, is refused', () => {
  const { svid: long } = ca.intermediate().intermediate().svid(web);
  const [leaf = new Uint8Array(), ...others] = long.chain;
  refuses('ENV0102', { ...long, chain: [leaf, ...others.reverse()] });
  const { svid } = ca.svid(web);
  refuses('ENV0102', { ...svid, chain: [...svid.chain, ca.svid(web).der] });
});

test("another certificate's key, and what is no key, is refused", () => {
  const { svid } = ca.svid(web);
  refuses('ENV0103', { ...svid, privateKey: ca.svid(web).pkcs8 });
  refuses('ENV0103', { ...svid, privateKey: Buffer.from('junk') });
});

test('an SVID that is expired or not yet valid is refused, also when it was good before', () => {
  const { svid } = ca.svid(web);
  tlsCertificate('default', svid, now);
  refuses('ENV0104', svid, svid.notAfter + 1000);
  refuses('ENV0104', svid, svid.notBefore - 1000);
  refuses('ENV0104', ca.intermediate({ notAfter: now - 1000 }).svid(web).svid);
});

test('keys that Envoy takes pass, others are refused', () => {
  const { privateKey: rsa } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const { privateKey: p384 } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const { privateKey: ed25519 } = generateKeyPairSync('ed25519');
  for (const privateKey of [rsa, p384]) tlsCertificate('default', ca.svid(web, { privateKey }).svid, now);
  refuses('ENV0105', ca.svid(web, { privateKey: ed25519 }).svid);
});
