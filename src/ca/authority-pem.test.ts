import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { type CertificateOverrides, testCa } from '../../test/support/ca.js';
import { isFault } from '../base/faults/fault.js';
import type { FaultCode } from '../base/faults/table.js';
import { toPem } from '../base/pem.js';
import { parseTrustDomain } from '../spiffe/id.js';
import { createAuthority } from './authority.js';
import { authoritiesFromPem, authoritiesToPem } from './authority-pem.js';
import { diskKeys } from './key-manager.js';
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
  const again = await authoritiesFromPem(trustDomain, diskKeys, authoritiesToPem(made));
  assert.deepEqual(
    again.map(({ certificate }) => Buffer.from(certificate)),
    made.map(({ certificate }) => Buffer.from(certificate)),
  );
  assert.equal(authoritiesToPem(again), authoritiesToPem(made));
});

test('a certificate is followed by its key, and by nothing else', async () => {
  const [certificate, key] = pemOf();
  const [otherCertificate, otherKey] = pemOf();
  const pair = await authoritiesFromPem(
    trustDomain,
    diskKeys,
    certificate + key + otherCertificate + otherKey,
  );
  assert.equal(pair.length, 2);
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
