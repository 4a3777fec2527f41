import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { parseTrustDomain, workloadId } from '../spiffe/id.js';
import { verifyX509Svid } from '../spiffe/verify-x509-svid.js';
import { createAuthority } from './authority.js';
import { authoritiesFromPem, authoritiesToPem } from './authority-pem.js';
import { makeCsr, readCsr } from './csr.js';
import { issueX509Svid } from './issue-x509-svid.js';

const trustDomain = parseTrustDomain('shop.example');

test('from a CSR to an SVID that verifies, also after the authority was stored', () => {
  const now = Date.now();
  const made = createAuthority({ trustDomain, ttlSeconds: 86_400, now });
  const [authority] = authoritiesFromPem(authoritiesToPem([made]));
  assert.ok(authority);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { publicKey } = readCsr(makeCsr(privateKey));
  const id = workloadId(trustDomain, '/web');
  const issued = issueX509Svid(authority, { id, publicKey, dnsNames: [], ttlSeconds: 3600, now });
  const bundle = {
    trustDomain,
    x509Authorities: [{ der: authority.certificate, tainted: false }],
    jwtAuthorities: [],
    sequence: 1n,
    refreshHint: 0,
  };
  const { serial, notAfter } = verifyX509Svid(issued.chain, bundle, now);
  assert.deepEqual({ id, serial, notAfter }, { id, serial: issued.serial, notAfter: issued.notAfter });
});
