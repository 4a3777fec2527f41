import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, type KeyObject, sign, webcrypto } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { oneValueMore } from '../../test/support/one-value-more.js';
import { openssl, opensslMissing } from '../../test/support/openssl.js';
import { x509 } from '../../test/support/peculiar-x509.js';
import { DerReader, tags } from '../base/der/reader.js';
import * as der from '../base/der/writer.js';
import { isFault } from '../base/faults/fault.js';
import type { FaultCode } from '../base/faults/table.js';
import { readPem, toPem } from '../base/pem.js';
import { readCertificate } from '../spiffe/certificate.js';
import { basicConstraints, keyUsage, subjectAltName } from '../spiffe/certificate-writer.js';
import { parseTrustDomain, workloadId } from '../spiffe/id.js';
import { keyUsageBits, oids } from '../spiffe/oids.js';
import { createAuthority } from './authority.js';
import { makeCsr, readCsr } from './csr.js';
import { issueX509Svid } from './issue-x509-svid.js';
import { parsePublicKey } from './public-key.js';
import { newLocalKey } from './signing-key.js';

const web = 'spiffe://shop.example/web';
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const spki = publicKey.export({ format: 'der', type: 'spki' });
/** What a CSR of a key is read as. */
const read = (uriSans: string[], of: Uint8Array = spki) => ({
  publicKey: of,
  key: parsePublicKey(of),
  uriSans,
  dnsSans: [] as string[],
});
const ecdsa = der.sequence(der.oid(oids.ecdsaWithSha256));

async function refuses(code: FaultCode, bytes: Uint8Array): Promise<void> {
  await assert.rejects(
    readCsr(bytes),
    (error) => isFault(error, code) || assert.fail(`not ${code} but ${error}`),
  );
}

/** A CSR from its parts, signed rightly, so that what is wrong with it is what the test changed. */
function csrOf(parts: {
  version?: Uint8Array;
  publicKey?: Uint8Array;
  attributes?: readonly Uint8Array[];
  algorithm?: Uint8Array;
  key?: KeyObject;
}): Buffer {
  const { version = der.small(0), algorithm = ecdsa, attributes = [], key = privateKey } = parts;
  const info = der.sequence(version, der.sequence(), parts.publicKey ?? spki, der.explicit(0, ...attributes));
  return der.sequence(info, algorithm, der.wholeBytes(sign('sha256', info, key)));
}

/** The part of a CSR that is signed. */
const csrInfo = (csr: Uint8Array) => new DerReader(csr).enter(tags.sequence).any().whole;

const requestOf = (...extensions: Uint8Array[]) =>
  der.sequence(der.oid(oids.extensionRequest), der.setOfOne(der.sequence(...extensions)));
const uriRequest = (...uris: string[]) => requestOf(subjectAltName({ uris, dnsNames: [] }));

test('a CSR gives its key and the URIs that it asks for', async () => {
  assert.deepEqual(await readCsr(makeCsr(privateKey)), read([]));
  assert.deepEqual(await readCsr(makeCsr(privateKey, web)), read([web]));
  assert.deepEqual((await readCsr(csrOf({ attributes: [uriRequest('a:b', 'c:d')] }))).uriSans, [
    'a:b',
    'c:d',
  ]);
  const dnsNames = ['web.shop.example', 'web'];
  assert.deepEqual((await readCsr(makeCsr(privateKey, web, dnsNames))).dnsSans, dnsNames);
  assert.deepEqual((await readCsr(makeCsr(privateKey, undefined, dnsNames))).dnsSans, dnsNames);
});

test('OpenSSL and @peculiar/x509 read and verify ours', { skip: opensslMissing() }, async () => {
  for (const uri of [undefined, web]) {
    const csr = makeCsr(privateKey, uri);
    const { ok, output } = openssl(['req', '-noout', '-verify', '-text'], toPem('CERTIFICATE REQUEST', csr));
    assert.ok(ok, output);
    assert.equal(output.includes(`URI:${web}`), uri !== undefined);
    assert.equal(await new x509.Pkcs10CertificateRequest(Buffer.from(csr)).verify(), true);
  }
});

test('CSRs of OpenSSL are read, whatever the key and the hash', { skip: opensslMissing() }, async (t) => {
  const keyFile = join(mkdtempSync(join(tmpdir(), 'plastron-csr-')), 'key.pem');
  t.after(() => rmSync(dirname(keyFile), { recursive: true }));
  const keys = {
    'P-256': generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    'P-384': generateKeyPairSync('ec', { namedCurve: 'P-384' }),
    RSA: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  };
  for (const [kind, pair] of Object.entries(keys)) {
    writeFileSync(keyFile, pair.privateKey.export({ format: 'pem', type: 'pkcs8' }));
    for (const hash of ['-sha256', '-sha384', '-sha512']) {
      const args = ['req', '-new', hash, '-key', keyFile, '-subj', '/C=US/O=SPIRE/CN=x', '-addext'];
      const { output } = openssl([...args, `subjectAltName=URI:${web},DNS:web.shop.example`]);
      const [csr] = readPem(output);
      assert.ok(csr, output);
      const expected = pair.publicKey.export({ format: 'der', type: 'spki' });
      const wanted = { ...read([web], expected), dnsSans: ['web.shop.example'] };
      assert.deepEqual(await readCsr(csr.der), wanted, `${kind} ${hash}`);
    }
  }
});

test('CSRs of @peculiar/x509 are read', async () => {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair;
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: 'C=US, O=SPIRE',
    keys,
    signingAlgorithm: algorithm,
    attributes: [new x509.ChallengePasswordAttribute('secret')],
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'url', value: web }])],
  });
  assert.deepEqual((await readCsr(new Uint8Array(request.rawData))).uriSans, [web]);
});

test('S4: whatever a CSR asks for, the SVID has the values of the entry', async () => {
  const trustDomain = parseTrustDomain('shop.example');
  const now = Date.now();
  const authority = await createAuthority({ trustDomain, ttlSeconds: 3600, now }, newLocalKey());
  const greedy = csrOf({
    attributes: [
      requestOf(
        subjectAltName({ uris: ['spiffe://shop.example/admin'], dnsNames: ['admin.shop.example'] }),
        basicConstraints(true),
        keyUsage([keyUsageBits.keyCertSign]),
      ),
    ],
  });
  const key = (await readCsr(greedy)).publicKey;
  const id = workloadId(trustDomain, '/web');
  const issued = await issueX509Svid(authority, { id, publicKey: key, dnsNames: [], ttlSeconds: 60, now });
  const [leaf] = issued.chain;
  assert.ok(leaf);
  const { uris, isCa, keyUsage: usage } = readCertificate(leaf);
  assert.deepEqual({ uris, isCa, usage: [...(usage ?? [])] }, { uris: [id], isCa: false, usage: [0] });
  assert.equal(Buffer.from(leaf).includes('admin'), false);
});

test('S6: a CSR that its own key did not sign is refused', async () => {
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await refuses('CAS0204', csrOf({ key: other.privateKey }));
  const swapped = other.publicKey.export({ format: 'der', type: 'spki' });
  await refuses('CAS0204', csrOf({ publicKey: swapped }));
  const csr = Buffer.from(makeCsr(privateKey, web));
  csr[csr.indexOf('web')] = 'W'.charCodeAt(0);
  await refuses('CAS0204', csr);
});

test('S6: a CSR without signature, or signed in a way that is not known, is refused', async () => {
  const info = der.sequence(der.small(0), der.sequence(), spki, der.explicit(0));
  await refuses('CAS0204', der.sequence(info, ecdsa, der.wholeBytes(Buffer.alloc(0))));
  await refuses('CAS0204', csrOf({ algorithm: der.sequence(der.oid('1.2.840.10045.4.1')) }));
  await refuses('CAS0204', csrOf({ algorithm: der.sequence(der.oid('1.2.840.113549.1.1.5'), der.value(5)) }));
});

test('S6: the algorithm that signed must be one of the key', async () => {
  await refuses('CAS0204', csrOf({ algorithm: der.sequence(der.oid(oids.rsaWithSha256), der.value(5)) }));
});

test('S7: a CSR with a weak key, an unknown one, or a point off its curve is refused', async () => {
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const weakSpki = weak.publicKey.export({ format: 'der', type: 'spki' });
  const algorithm = der.sequence(der.oid(oids.rsaWithSha256), der.value(5));
  await refuses('CAS0202', csrOf({ publicKey: weakSpki, key: weak.privateKey, algorithm }));
  const offCurve = Buffer.from(spki);
  offCurve[offCurve.length - 1] = (offCurve.at(-1) ?? 0) ^ 1;
  await refuses('CAS0204', csrOf({ publicKey: offCurve }));
});

test('what is not one CSR in DER is refused', async () => {
  const csr = makeCsr(privateKey);
  await refuses('CAS0203', Buffer.alloc(0));
  await refuses('CAS0203', Buffer.concat([csr, Buffer.of(0)]));
  await refuses('CAS0203', Buffer.from(toPem('CERTIFICATE REQUEST', csr)));
  await refuses('CAS0203', Buffer.alloc(20_000, 0x30));
  await refuses('CAS0203', csrOf({ version: der.small(1) }));
  await refuses('CAS0203', csrOf({ attributes: [uriRequest(web), uriRequest(web)] }));
  await refuses('CAS0203', csrOf({ attributes: [requestOf(der.sequence(der.oid(oids.subjectAltName)))] }));
});

test('a CSR with one value too many anywhere is refused', async () => {
  // The subject is taken whole: /0/1. A change of what is signed breaks the signature too, so each is signed anew.
  const info = Buffer.from(csrInfo(csrOf({ attributes: [uriRequest(web)] })));
  const signed = (bytes: Uint8Array) =>
    der.sequence(bytes, ecdsa, der.wholeBytes(sign('sha256', bytes, privateKey)));
  assert.deepEqual((await readCsr(signed(info))).uriSans, [web]);
  const inside = oneValueMore(info).filter(({ at }) => !at.startsWith('/1'));
  for (const { at, der: bytes } of inside) {
    await assert.rejects(readCsr(signed(bytes)), isFault, `inside: ${at}`);
  }
  const outside = oneValueMore(signed(info)).filter(({ at }) => !at.startsWith('/0'));
  // NULL is a parameter of RSA algorithms and no matter for others.
  for (const { der: bytes } of outside.filter(({ at }) => at !== '/1')) await refuses('CAS0203', bytes);
  const names = der.sequence(der.implicit(6, Buffer.from(web)));
  const twoContents = der.octetString(Buffer.concat([names, Buffer.of(5, 0)]));
  await refuses(
    'CAS0203',
    csrOf({ attributes: [requestOf(der.sequence(der.oid(oids.subjectAltName), twoContents))] }),
  );
});

test('S13: a CSR of more than 16 KiB is refused before it is read', async () => {
  const attribute = (length: number) =>
    der.sequence(der.oid('1.2.3'), der.setOfOne(der.octetString(Buffer.alloc(length))));
  assert.ok(await readCsr(csrOf({ attributes: [attribute(16_000)] })));
  await refuses('CAS0203', csrOf({ attributes: [attribute(17_000)] }));
});

test('whatever the bytes are, there is a CSR or a fault', async () => {
  const csr = Buffer.from(makeCsr(privateKey, web));
  const noise = fc.uint8Array({ maxLength: 400 });
  const changed = fc
    .array(fc.tuple(fc.nat(csr.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
    .map((changes) => {
      const bytes = Buffer.from(csr);
      for (const [at, byte] of changes) bytes[at] = byte;
      return bytes;
    });
  const cut = fc.nat(csr.length).map((length) => csr.subarray(0, length));
  const spliced = fc
    .tuple(fc.nat(csr.length), noise)
    .map(([at, bytes]) => Buffer.concat([csr.subarray(0, at), bytes, csr.subarray(at)]));
  const property = fc.asyncProperty(fc.oneof(noise, changed, cut, spliced), async (bytes) => {
    try {
      const found = await readCsr(bytes);
      createPublicKey({ key: Buffer.from(found.publicKey), format: 'der', type: 'spki' });
      assert.deepEqual(found, read([web]), 'a changed CSR was accepted');
    } catch (error) {
      assert.ok(isFault(error), String(error));
    }
  });
  await fc.assert(property, { numRuns: 2000 });
});
