import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { x509 } from '../../test/support/peculiar-x509.js';
import { parseTrustDomain, workloadId } from '../spiffe/id.js';
import { createAuthority } from './authority.js';
import { issueX509Svid } from './issue-x509-svid.js';
import { newLocalKey } from './signing-key.js';

const trustDomain = parseTrustDomain('shop.example');
const now = Date.UTC(2026, 5, 1);
const authority = await createAuthority({ trustDomain, ttlSeconds: 3600, now }, newLocalKey());

test('XS-06: the certificate of an authority is an SVID of the trust domain that it signs for', () => {
  const { subjectAltName } = new X509Certificate(authority.certificate);
  assert.equal(subjectAltName, 'URI:spiffe://shop.example');
});

test('XS-16: what is published is signed by its own key, so it is a root', () => {
  const own = new X509Certificate(authority.certificate);
  assert.equal(own.issuer, own.subject);
  assert.ok(own.verify(own.publicKey));
});

test('XS-04: neither an authority nor an SVID is without a subject, whose absence would need a critical name', async () => {
  const dnsNames = [[], ['web.shop.example'], [`${'a'.repeat(63)}.${'b'.repeat(63)}`]];
  const leaves = await Promise.all(dnsNames.map((names) => leafWith(names)));
  for (const der of [authority.certificate, ...leaves]) {
    assert.notEqual(new x509.X509Certificate(Buffer.from(der)).subject, '');
  }
});

async function leafWith(dnsNames: string[]): Promise<Uint8Array> {
  const id = workloadId(trustDomain, '/web');
  const { chain } = await issueX509Svid(authority, {
    ...{ id, publicKey: newLocalKey().publicKey, dnsNames, ttlSeconds: 60, now },
  });
  const [leaf] = chain;
  assert.ok(leaf);
  return leaf;
}
