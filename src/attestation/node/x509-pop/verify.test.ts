import assert from 'node:assert/strict';
import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { type CertificateOverrides, testCa } from '../../../../test/support/ca.js';
import { isFault } from '../../../base/faults/fault.js';
import type { FaultCode } from '../../../base/faults/table.js';
import { toPem } from '../../../base/pem.js';
import { readCertificate } from '../../../spiffe/certificate.js';
import { parseTrustDomain } from '../../../spiffe/id.js';
import { x509PopProver } from './prove.js';
import { fingerprintOf } from './selectors.js';
import { readNodeAuthorities, x509PopVerifier } from './verify.js';

const trustDomain = parseTrustDomain('shop.example');
const ca = testCa('nodes.example');
const now = Date.now();
const verifier = x509PopVerifier([readCertificate(ca.certificate.der)], trustDomain, { now: () => now });

const nodeOf = (overrides: CertificateOverrides = {}, from = ca) =>
  from.svid('node', { uris: [], extendedKeyUsage: 'none', commonName: 'node-1', ...overrides });

const proverOf = (node: ReturnType<typeof nodeOf>) =>
  x509PopProver({ path: 'node.pem', chainPem: node.chainPem, keyPem: node.keyPem });

const attest = (node: ReturnType<typeof nodeOf>) => {
  const { payload, answer } = proverOf(node);
  return verifier.verify(payload, answer);
};

const keys: Record<string, () => KeyObject> = {
  'P-256': () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  'P-384': () => generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey,
  'P-521': () => generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey,
  'RSA 2048': () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
};

for (const [name, newKey] of Object.entries(keys)) {
  test(`what our agent shows and answers with a key of ${name} is what our server accepts`, async () => {
    const node = nodeOf({ privateKey: newKey() });
    // More than once: numbers with leading zeros are shorter on the wire.
    for (let i = 0; i < 10; i++) {
      const agent = await attest(node);
      assert.equal(agent.id, `spiffe://shop.example/spire/agent/x509pop/${fingerprintOf(node.der)}`);
      assert.equal(agent.canReattest, true);
    }
  });
}

test("the selectors are SPIRE's: subject, every authority of the path, serial number and names", async () => {
  const middle = ca.intermediate();
  const uris = [
    'x509pop://shop.example/zone/a/b',
    'x509pop://shop.example/zone-only',
    'x509pop://shop.example/escaped/a%2fb',
    'x509pop://other.example/zone/c',
    'spiffe://shop.example/node',
  ];
  const { selectors } = await attest(nodeOf({ uris, serial: Uint8Array.of(0x0a, 0xbc) }, middle));
  assert.ok(selectors.every(({ type }) => type === 'x509pop'));
  assert.deepEqual(
    selectors.map(({ value }) => value),
    [
      'subject:cn:node-1',
      `ca:fingerprint:${fingerprintOf(middle.certificate.der)}`,
      `ca:fingerprint:${fingerprintOf(ca.certificate.der)}`,
      'serialnumber:0abc',
      'san:zone:a/b',
    ],
  );
});

test('a certificate that proves nothing is refused before any challenge is made', async () => {
  const wrong: Record<string, ReturnType<typeof nodeOf>> = {
    'of another authority': nodeOf({}, testCa('nodes.example')),
    expired: nodeOf({ notAfter: now - 1000 }),
    'not valid yet': nodeOf({ notBefore: now + 60_000 }),
    'not for signatures': nodeOf({ keyUsage: ['keyEncipherment'] }),
    'without a key usage': nodeOf({ keyUsage: 'none' }),
    'below a CA that has expired': nodeOf({}, ca.intermediate({ notAfter: now - 1000 })),
    'below what is no CA': nodeOf({}, ca.intermediate({ ca: false })),
    'with a key of another kind': nodeOf({ privateKey: generateKeyPairSync('ed25519').privateKey }),
  };
  for (const [what, { chain }] of Object.entries(wrong)) {
    const payload = Buffer.from(
      JSON.stringify({ certificates: chain.map((der) => Buffer.from(der).toString('base64')) }),
    );
    await refused(verifier.verify(payload, noChallenge), 'ATT0302', what);
  }
});

test('S13: a chain is cut off by number and size, and an RSA key by its size, before any of it is used', async () => {
  const { der } = nodeOf();
  const evidence = (...certificates: Uint8Array[]) =>
    Buffer.from(
      JSON.stringify({ certificates: certificates.map((each) => Buffer.from(each).toString('base64')) }),
    );
  await refused(verifier.verify(evidence(...Array(11).fill(der)), noChallenge), 'ATT0301', 'many');
  await refused(verifier.verify(evidence(new Uint8Array(20_000)), noChallenge), 'ATT0301', 'large');
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
  await refused(
    verifier.verify(evidence(nodeOf({ privateKey: small }).der), noChallenge),
    'ATT0302',
    'small',
  );
});

test('S13: only a signature over both nonces by the key of the certificate that was verified counts', async () => {
  const node = nodeOf();
  const { payload, answer } = proverOf(node);
  const other = proverOf(nodeOf());
  await refused(verifier.verify(payload, other.answer), 'ATT0303', 'another key');
  let recorded: Uint8Array | undefined;
  await verifier.verify(payload, async (challenge) => {
    recorded = await answer(challenge);
    return recorded;
  });
  await refused(
    verifier.verify(payload, async () => recorded ?? assert.fail()),
    'ATT0303',
    'an old answer',
  );
});

test("an answer in Go's form is accepted: PSS with the longest salt", async () => {
  const node = nodeOf({ privateKey: keys['RSA 2048']?.() ?? assert.fail() });
  const { payload } = proverOf(node);
  await verifier.verify(payload, async (challenge) => {
    const { rsa_signature, ecdsa_signature } = JSON.parse(Buffer.from(challenge).toString());
    assert.equal(ecdsa_signature, null);
    const nonce = Buffer.alloc(32, 7);
    const signed = Buffer.concat([Buffer.from(rsa_signature.nonce, 'base64'), nonce]);
    const signature = sign('sha256', signed, {
      key: node.privateKey,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: constants.RSA_PSS_SALTLEN_MAX_SIGN,
    });
    const texts = { nonce: nonce.toString('base64'), signature: signature.toString('base64') };
    return Buffer.from(JSON.stringify({ rsa_signature: texts, ecdsa_signature: null }));
  });
});

test('whatever is sent is refused with a fault, never with a crash', async () => {
  const node = proverOf(nodeOf());
  const anything = fc.oneof(
    fc.uint8Array(),
    fc.json().map((text) => Buffer.from(text)),
    fc
      .record({ certificates: fc.array(fc.base64String()) })
      .map((value) => Buffer.from(JSON.stringify(value))),
    fc
      .record({
        ecdsa_signature: fc.record({ nonce: fc.base64String(), r: fc.base64String(), s: fc.base64String() }),
      })
      .map((value) => Buffer.from(JSON.stringify(value))),
  );
  await fc.assert(
    fc.asyncProperty(anything, async (bytes) => {
      const isRefusal = (error: unknown) =>
        isFault(error, 'ATT0301') || isFault(error, 'ATT0302') || isFault(error, 'ATT0303');
      await assert.rejects(verifier.verify(bytes, noChallenge), isRefusal);
      await assert.rejects(
        verifier.verify(node.payload, async () => bytes),
        isRefusal,
      );
      await assert.rejects(node.answer(bytes), isRefusal);
    }),
  );
});

test('authorities and certificates that cannot be used are refused when they are read', () => {
  const node = nodeOf();
  const files: [text: string, problem: RegExp][] = [
    ['', /no certificate/],
    [node.pem, /no CA/],
    [ca.certificate.pem + node.keyPem, /a block `PRIVATE KEY`/],
    [toPem('CERTIFICATE', Buffer.from('x')), /certificate/],
  ];
  for (const [text, problem] of files) {
    assert.throws(
      () => readNodeAuthorities('ca.pem', text),
      (error) => isFault(error, 'ATT0305') && problem.test(String(error)),
    );
  }
  assert.equal(readNodeAuthorities('ca.pem', ca.certificate.pem).length, 1);
  const provers: [chainPem: string, keyPem: string, problem: RegExp][] = [
    [node.pem, 'no key', /no private key/],
    [node.pem, nodeOf().keyPem, /not that of/],
    [node.keyPem, node.keyPem, /a block/],
    [toPem('CERTIFICATE', Buffer.from('x')), node.keyPem, /not that of/],
  ];
  for (const [chainPem, keyPem, problem] of provers) {
    assert.throws(
      () => x509PopProver({ path: 'node.pem', chainPem, keyPem }),
      (error) => isFault(error, 'ATT0304') && problem.test(String(error)),
    );
  }
});

const noChallenge = () => Promise.reject(new Error('no challenge should have been made'));

async function refused(attempt: Promise<unknown>, code: FaultCode, what: string): Promise<void> {
  await assert.rejects(attempt, (error) => isFault(error, code), what);
}
