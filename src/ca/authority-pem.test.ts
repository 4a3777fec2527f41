import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { type CertificateOverrides, testCa } from '../../test/support/ca.js';
import { fakeKms } from '../../test/support/fake-kms.js';
import { isFault } from '../base/faults/fault.js';
import type { FaultCode } from '../base/faults/table.js';
import { toPem } from '../base/pem.js';
import { parseTrustDomain } from '../spiffe/id.js';
import { createAuthority } from './authority.js';
import { authoritiesFromPem, authoritiesToPem } from './authority-pem.js';
import { createJwtSigner, type JwtSigner, jwtSignerToDer } from './jwt-signer.js';
import { diskKeys, memoryKeys } from './key-manager.js';
import { keyToPem } from './key-pem.js';
import { newLocalKey } from './signing-key.js';

const trustDomain = parseTrustDomain('shop.example');

async function refuses(code: FaultCode, pem: string): Promise<void> {
  await assert.rejects(
    authoritiesFromPem(trustDomain, diskKeys, pem),
    (error) => isFault(error, code) || assert.fail(`not ${code} but ${error}`),
  );
}

/** The certificate and the key of a CA that is wrong in some way. */
function pemOf(overrides: CertificateOverrides = {}): [certificate: string, key: string] {
  const ca = testCa('shop.example', overrides);
  const pkcs8 = ca.privateKey.export({ format: 'der', type: 'pkcs8' });
  return [ca.certificate.pem, toPem('PRIVATE KEY', pkcs8)];
}

test('authorities come back from PEM in their order', async () => {
  const made = await Promise.all(
    [1, 2, 3].map(() => createAuthority({ trustDomain, ttlSeconds: 60, now: Date.now() }, newLocalKey())),
  );
  const again = await authoritiesFromPem(trustDomain, diskKeys, authoritiesToPem({ x509: made, jwt: [] }));
  assert.deepEqual(
    again.x509.map(({ certificate }) => Buffer.from(certificate)),
    made.map(({ certificate }) => Buffer.from(certificate)),
  );
  assert.equal(authoritiesToPem(again), authoritiesToPem({ x509: made, jwt: [] }));
  assert.deepEqual(again.jwt, []);
});

test('a certificate is followed by its key, and by nothing else', async () => {
  const [certificate, key] = pemOf();
  const [otherCertificate, otherKey] = pemOf();
  const pair = await authoritiesFromPem(
    trustDomain,
    diskKeys,
    certificate + key + otherCertificate + otherKey,
  );
  assert.equal(pair.x509.length, 2);
  for (const pem of [
    '',
    certificate,
    key,
    key + certificate,
    certificate + otherKey,
    certificate + certificate,
  ]) {
    await refuses('CAS0301', pem);
  }
  await refuses('CAS0301', certificate + key + otherCertificate);
  await refuses('CAS0301', certificate.replaceAll('CERTIFICATE', 'TRUSTED CERTIFICATE') + key);
  await refuses('IDN0201', key.replaceAll('PRIVATE KEY', 'CERTIFICATE') + key);
});

test('only a CA of this trust domain with a P-256 key is an authority', async () => {
  await refuses('IDN0302', pemOf({ ca: false }).join(''));
  await refuses('CAS0301', pemOf({ uris: [] }).join(''));
  await refuses('CAS0301', pemOf({ uris: ['spiffe://other.example'] }).join(''));
  await refuses('CAS0301', pemOf({ uris: ['spiffe://shop.example', 'spiffe://other.example'] }).join(''));
  await refuses('CAS0301', pemOf({ uris: ['spiffe://shop.example/web'] }).join(''));
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  await refuses('CAS0301', pemOf({ privateKey }).join(''));
});

test('a key that cannot be read is refused without its text', async () => {
  const [certificate, key] = pemOf();
  const broken = key.replace(/\n[A-Za-z0-9+/]{64}\n/, `\n${'A'.repeat(64)}\n`);
  await assert.rejects(
    authoritiesFromPem(trustDomain, diskKeys, certificate + broken),
    (error) => error instanceof Error && isFault(error, 'CAS0301') && error.cause === undefined,
  );
});

test('JWT authorities come back from PEM with their keys, times and key IDs', async () => {
  const x509 = [await createAuthority({ trustDomain, ttlSeconds: 60, now: Date.now() }, newLocalKey())];
  const kms = fakeKms();
  const keys = [newLocalKey(), await kms.generate(), await memoryKeys.generate()];
  const jwt = keys.map((key, i) => createJwtSigner({ ttlSeconds: 60 * (i + 1), now: Date.now() }, key));
  const pem = authoritiesToPem({ x509, jwt });
  const again = await authoritiesFromPem(trustDomain, kms, pem);
  const plain = ({ key, publicKey, ...others }: JwtSigner) => ({
    ...others,
    publicKey: Buffer.from(publicKey),
  });
  assert.deepEqual(again.jwt.map(plain), jwt.map(plain));
  assert.deepEqual(
    again.jwt.map(({ key }) => key.kind),
    ['local', 'remote', 'missing'],
  );
  assert.equal(authoritiesToPem(again), pem);
});

test('a JWT authority that is broken, not P-256, or without its own key is refused', async () => {
  const [certificate, key] = pemOf();
  const x509 = certificate + key;
  const signer = createJwtSigner({ ttlSeconds: 60, now: Date.now() }, newLocalKey());
  const der = jwtSignerToDer(signer);
  const good = toPem('JWT AUTHORITY', der) + keyToPem(signer.key);
  assert.equal((await authoritiesFromPem(trustDomain, diskKeys, x509 + good)).jwt.length, 1);
  await refuses('CAS0301', good);
  await refuses('CAS0301', x509 + toPem('JWT AUTHORITY', der));
  await refuses('CAS0301', x509 + toPem('JWT AUTHORITY', der) + keyToPem(newLocalKey()));
  await refuses('CAS0301', x509 + toPem('JWT AUTHORITY', der.subarray(1)) + keyToPem(signer.key));
  await refuses('CAS0301', x509 + good.replaceAll('JWT AUTHORITY', 'JWT-AUTHORITY'));
  await refuses('CAS0301', x509 + good.replaceAll('JWT AUTHORITY', 'PUBLIC KEY'));
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const p384 = { ...signer, publicKey: publicKey.export({ format: 'der', type: 'spki' }) };
  await refuses('CAS0301', x509 + toPem('JWT AUTHORITY', jwtSignerToDer(p384)) + keyToPem(signer.key));
});
