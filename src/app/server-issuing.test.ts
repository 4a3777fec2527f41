import assert from 'node:assert/strict';
import { webcrypto, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { x509 } from '../../test/support/peculiar-x509.js';
import {
  attestedAgent,
  createEntries,
  entryMessage,
  newKey,
  runningServer,
  svidApi,
} from '../../test/support/running-server.js';
import { makeCsr } from '../ca/csr.js';
import { readCertificate } from '../spiffe/certificate.js';
import { pathOf } from '../spiffe/id.js';
import { oids } from '../spiffe/oids.js';

/** Asks for everything that a certificate could give away. */
async function greedyCsr(): Promise<Uint8Array> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const made = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: 'C=DE, O=admin, CN=admin.shop.example',
    // An algorithm with two usages gives a pair.
    keys: made as webcrypto.CryptoKeyPair,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.SubjectAlternativeNameExtension([
        { type: 'url', value: 'spiffe://shop.example/admin' },
        { type: 'dns', value: 'admin.shop.example' },
      ]),
      new x509.BasicConstraintsExtension(true, 3, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      new x509.ExtendedKeyUsageExtension(['1.3.6.1.5.5.7.3.3'], true),
    ],
  });
  return new Uint8Array(request.rawData);
}

test('S4: a CSR with another SPIFFE ID, DNS name, subject, usage and CA=true yields only what the entry says', async (t) => {
  const server = await runningServer(t);
  const { svid, connection } = await attestedAgent(t, server);
  const names = { dns_names: ['web.shop.example'] };
  const [web = ''] = await createEntries(
    server,
    entryMessage('/web', pathOf(svid.id), ['unix:uid:1'], names),
  );
  const params = [{ entry_id: web, csr: await greedyCsr() }];
  const { results = [] } = await connection.unary(svidApi.BatchNewX509SVID, { params });
  const leaf = results[0]?.svid?.cert_chain?.[0] ?? assert.fail(results[0]?.status?.message);
  const { subject, subjectAltName } = new X509Certificate(leaf);
  assert.equal(subject, 'C=US\nO=SPIRE\nCN=web.shop.example');
  assert.equal(subjectAltName, 'DNS:web.shop.example, URI:spiffe://shop.example/web');
  const { isCa, keyUsage, extendedKeyUsage } = readCertificate(leaf);
  assert.deepEqual([isCa, [...(keyUsage ?? [])]], [false, [0]]);
  assert.deepEqual(extendedKeyUsage, [oids.serverAuth, oids.clientAuth]);
});

test('S8, S9: an SVID lasts as long as its entry says, no longer than the entry and no longer than its authority', async (t) => {
  const now = Math.floor(Date.now() / 1000) * 1000;
  const server = await runningServer(t, { clock: { now: () => now }, caTtl: 7200, x509SvidTtl: 1800 });
  const { svid, connection } = await attestedAgent(t, server);
  // The agent's own comes from the server's setting, and nothing that it sends.
  assert.equal(svid.notAfter, now + 1_800_000);
  const entry = (path: string, more: object) => entryMessage(path, pathOf(svid.id), ['unix:uid:1'], more);
  const ids = await createEntries(
    server,
    entry('/default', {}),
    entry('/short', { x509_svid_ttl: 60 }),
    entry('/ending', { expires_at: now / 1000 + 600 }),
    entry('/long', { x509_svid_ttl: 86_400 }),
  );
  const params = ids.map((entry_id) => ({ entry_id, csr: makeCsr(newKey()) }));
  const { results = [] } = await connection.unary(svidApi.BatchNewX509SVID, { params });
  const windows = results.map(({ svid: issued }) => {
    const { notBefore, notAfter } = readCertificate(issued?.cert_chain?.[0] ?? assert.fail());
    assert.equal(issued?.expires_at, String(notAfter / 1000));
    return [(notBefore - now) / 1000, (notAfter - now) / 1000];
  });
  assert.deepEqual(windows, [
    [-10, 1800],
    [-10, 60],
    [-10, 600],
    [-10, 7200],
  ]);
});
