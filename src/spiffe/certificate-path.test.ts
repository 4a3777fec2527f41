import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type TestCa, testCa } from '../../test/support/ca.js';
import { temporaryFolder } from '../../test/support/children.js';
import { openssl, opensslMissing } from '../../test/support/openssl.js';
import { x509 } from '../../test/support/peculiar-x509.js';
import * as der from '../base/der/writer.js';
import { isFault } from '../base/faults/fault.js';
import { readPem } from '../base/pem.js';
import type { Bundle } from './bundle.js';
import { bundleFromPem, parseX509Authority } from './bundle-pem.js';
import { extension } from './certificate-writer.js';
import { parseTrustDomain } from './id.js';
import { verifyX509Svid } from './verify-x509-svid.js';

const web = 'spiffe://shop.example/web';
const now = Date.now();
const hour = 3_600_000;

function accepts(chain: readonly Uint8Array[], bundle: Bundle, atMs = now): boolean {
  try {
    return verifyX509Svid(chain, bundle, atMs).id === web;
  } catch (error) {
    if (isFault(error)) return false;
    throw error;
  }
}

test('XS-13: paths are accepted and refused as OpenSSL does', { skip: opensslMissing() }, (t) => {
  const root = testCa('shop.example');
  const unknown = { moreExtensions: [extension('1.3.6.1.4.1.99999.1', true, der.octetString(Buffer.of(1)))] };
  const short = root.intermediate({ pathLength: 0 });
  const [good, below] = [root.intermediate(), root.intermediate().intermediate()];
  const paths: [expected: boolean, name: string, chain: readonly Uint8Array[], issuer: TestCa][] = [
    [true, 'direct', root.svid(web).chain, root],
    [true, 'one intermediate', good.svid(web).chain, root],
    [true, 'two intermediates', below.svid(web).chain, root],
    [true, 'path length 0', short.svid(web).chain, root],
    [false, 'path length exceeded', short.intermediate().svid(web).chain, root],
    [false, 'another root', testCa('shop.example').svid(web).chain, root],
    [false, 'intermediate missing', good.svid(web).chain.slice(0, 1), root],
    [false, 'expired leaf', root.svid(web, { notAfter: now - hour }).chain, root],
    [false, 'leaf of tomorrow', root.svid(web, { notBefore: now + hour }).chain, root],
    [false, 'expired intermediate', root.intermediate({ notAfter: now - hour }).svid(web).chain, root],
    [false, 'intermediate is no CA', root.intermediate({ ca: false }).svid(web).chain, root],
    [false, 'no keyCertSign', root.intermediate({ keyUsage: ['cRLSign'] }).svid(web).chain, root],
    [false, 'critical unknown', root.svid(web, unknown).chain, root],
    [false, 'critical unknown above', root.intermediate(unknown).svid(web).chain, root],
  ];
  for (const [expected, name, chain, { bundle, bundlePem }] of paths) {
    assert.equal(accepts(chain, bundle), expected, name);
    assert.equal(opensslAccepts(t, chain, bundlePem), expected, `OpenSSL: ${name}`);
  }
});

function opensslAccepts(t: TestContext, chain: readonly Uint8Array[], rootsPem: string): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'plastron-x509-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const pem = (bytes: Uint8Array) => new x509.X509Certificate(Buffer.from(bytes)).toString('pem');
  writeFileSync(join(folder, 'roots'), rootsPem);
  writeFileSync(join(folder, 'chain'), chain.map(pem).join('\n'));
  const leaf = pem(chain[0] ?? assert.fail());
  return openssl(
    [
      'verify',
      '-CAfile',
      join(folder, 'roots'),
      '-untrusted',
      join(folder, 'chain'),
      '-purpose',
      'sslclient',
    ],
    leaf,
  ).ok;
}

test('XS-13: an issuer with the right key and another name does not count', () => {
  const root = testCa('shop.example');
  const issuer = root.intermediate();
  const renamed = root.intermediate({ privateKey: issuer.privateKey });
  const [leaf] = issuer.svid(web).chain;
  assert.ok(leaf);
  assert.equal(accepts([leaf, issuer.certificate.der], root.bundle), true);
  assert.equal(accepts([leaf, renamed.certificate.der], root.bundle), false);
});

test('S13: intermediates that could all have issued each other cost a bounded number of signature checks', () => {
  const root = testCa('shop.example');
  const { privateKey } = root;
  const named = (commonName: string) => ({ commonName, privateKey });
  const crossed = (issuer: string, subject: string) =>
    testCa('shop.example', named(issuer)).intermediate(named(subject)).certificate.der;
  const circle = () => [crossed('b', 'a'), crossed('a', 'b')];
  // Only directly under this one is the leaf good, and it is tried last.
  const good = root.intermediate({ ...named('a'), pathLength: 0 });
  const [leaf] = good.svid(web).chain;
  assert.ok(leaf);
  assert.equal(accepts([leaf, ...circle(), good.certificate.der], root.bundle), true);
  assert.equal(
    accepts([leaf, ...circle(), ...circle(), ...circle(), good.certificate.der], root.bundle),
    false,
  );
});

type Rsa = webcrypto.RsaHashedKeyGenParams;
type Ecdsa = webcrypto.EcKeyGenParams & webcrypto.EcdsaParams;

/** An SVID and its root made by another implementation, with keys and hashes that ours does not sign with. */
async function foreign(algorithm: Rsa | Ecdsa) {
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair;
  const window = { notBefore: new Date(now - hour), notAfter: new Date(now + hour) };
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    ...window,
    name: 'CN=root',
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
    ],
  });
  const leaf = await x509.X509CertificateGenerator.create({
    ...window,
    subject: 'CN=leaf',
    issuer: root.subject,
    publicKey: keys.publicKey,
    signingKey: keys.privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.SubjectAlternativeNameExtension([{ type: 'url', value: web }]),
    ],
  });
  const bundle: Bundle = {
    trustDomain: parseTrustDomain('shop.example'),
    x509Authorities: [parseX509Authority(new Uint8Array(root.rawData))],
    jwtAuthorities: [],
    sequence: 0n,
    refreshHint: 0,
  };
  return { chain: [new Uint8Array(leaf.rawData)], bundle };
}

const rsa = (hash: string) => ({
  name: 'RSASSA-PKCS1-v1_5',
  hash,
  publicExponent: Uint8Array.of(1, 0, 1),
  modulusLength: 2048,
});
const ecdsa = (namedCurve: string, hash: string) => ({ name: 'ECDSA', namedCurve, hash });

test('S13: a signature is not checked with an RSA key of a huge exponent', {
  skip: opensslMissing(),
}, (t) => {
  const folder = temporaryFolder(t);
  const file = (name: string) => join(folder, name);
  const run = (...args: string[]) => {
    const { ok, output } = openssl(args);
    assert.ok(ok, output);
  };
  const leaf = testCa('shop.example').svid(web);
  writeFileSync(file('leaf.key'), leaf.keyPem);
  writeFileSync(file('leaf.cnf'), `keyUsage=critical,digitalSignature\nsubjectAltName=URI:${web}\n`);
  writeFileSync(file('ca.cnf'), 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n');
  run('req', '-new', '-key', file('leaf.key'), '-subj', '/O=leaf', '-out', file('leaf.csr'));
  const verdictFor = (exponent: bigint) => {
    const options = ['-pkeyopt', 'rsa_keygen_bits:2048', '-pkeyopt', `rsa_keygen_pubexp:${exponent}`];
    run('genpkey', '-algorithm', 'RSA', ...options, '-out', file('ca.key'));
    run('req', '-new', '-key', file('ca.key'), '-subj', '/O=ca', '-out', file('ca.csr'));
    const signed = ['x509', '-req', '-days', '1', '-sha256', '-set_serial'];
    const self = ['-in', file('ca.csr'), '-signkey', file('ca.key'), '-extfile', file('ca.cnf')];
    run(...signed, '1', ...self, '-out', file('ca.pem'));
    const below = ['-in', file('leaf.csr'), '-CA', file('ca.pem'), '-CAkey', file('ca.key')];
    run(...signed, '2', ...below, '-extfile', file('leaf.cnf'), '-out', file('leaf.pem'));
    const bundle = bundleFromPem(parseTrustDomain('shop.example'), readFileSync(file('ca.pem'), 'utf8'));
    const chain = readPem(readFileSync(file('leaf.pem'), 'utf8')).map(({ der: bytes }) => bytes);
    return accepts(chain, bundle, Date.now());
  };
  assert.equal(verdictFor(65_537n), true);
  assert.equal(verdictFor(2n ** 64n + 13n), false);
});

test('authorities of other makers, with RSA and P-384 keys, are verified too', async () => {
  for (const algorithm of [
    rsa('SHA-256'),
    rsa('SHA-512'),
    ecdsa('P-384', 'SHA-384'),
    ecdsa('P-256', 'SHA-256'),
  ]) {
    const { chain, bundle } = await foreign(algorithm);
    assert.equal(accepts(chain, bundle), true, JSON.stringify(algorithm));
  }
});

test('a signature with SHA-1 is refused', async () => {
  const { chain, bundle } = await foreign(rsa('SHA-1'));
  assert.equal(accepts(chain, bundle), false);
});
