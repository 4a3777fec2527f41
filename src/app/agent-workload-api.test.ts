import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { runningAgent } from '../../test/support/running-agent.js';
import {
  createEntries,
  demoNode,
  entryApi,
  entryMessage,
  joinToken,
  runningServer,
} from '../../test/support/running-server.js';
import { until } from '../../test/support/until.js';
import { workloadClient } from '../../test/support/workload-api.js';
import { remoteStatus } from '../transport/grpc-client.js';

const thisUser = `unix:uid:${process.geteuid?.()}`;
const web = entryMessage('/web', '/node/demo', [thisUser]);
const batch = entryMessage('/batch', '/node/demo', [thisUser], { hint: 'internal' });

/** A server with `entries`, an agent, and a client of its Workload API. */
async function shopWith(t: TestContext, ...entries: Parameters<typeof createEntries>[1][]) {
  const server = await runningServer(t);
  const ids = entries.length > 0 ? await createEntries(server, ...entries) : [];
  const token = await joinToken(server, demoNode);
  const { settings, agent } = await runningAgent(t, server, { joinToken: { token } });
  await until(() => agent.status().serving);
  return { server, ids, agent, settings, client: workloadClient(t, settings.socket) };
}

test('WA-07: a workload gets its SVID, its key and its bundle, as DER, from a real server', async (t) => {
  const { client } = await shopWith(t, web);
  const { svids = [], federated_bundles } = await client.x509Svids().next();
  const [svid = assert.fail('no SVID')] = svids;
  const certificate = new X509Certificate(svid.x509_svid ?? assert.fail('no certificate'));
  const key = createPrivateKey({ key: svid.x509_svid_key ?? Buffer.alloc(0), format: 'der', type: 'pkcs8' });
  assert.equal(svid.spiffe_id, 'spiffe://shop.example/web');
  assert.equal(certificate.subjectAltName, 'URI:spiffe://shop.example/web');
  assert.ok(certificate.checkPrivateKey(key));
  assert.ok(certificate.verify(new X509Certificate(svid.bundle ?? Buffer.alloc(0)).publicKey));
  assert.deepEqual(federated_bundles ?? {}, {});
});

test('WA-04, WA-12: an entry that comes and one that goes reach the open stream, which ends when none is left', async (t) => {
  const { server, ids, client } = await shopWith(t, web);
  const stream = client.x509Svids();
  const idsOf = ({ svids = [] }: { svids?: { spiffe_id?: string }[] }) =>
    svids.map(({ spiffe_id }) => spiffe_id).sort();
  assert.deepEqual(idsOf(await stream.next()), ['spiffe://shop.example/web']);
  const more = await createEntries(server, batch);
  const both = await stream.until(({ svids = [] }) => svids.length === 2);
  assert.deepEqual(idsOf(both), ['spiffe://shop.example/batch', 'spiffe://shop.example/web']);
  await server.admin.unary(entryApi.BatchDeleteEntry, { ids: [...ids, ...more] });
  await assert.rejects(
    stream.until(() => false),
    (error) => remoteStatus(error) === 'PERMISSION_DENIED' && !String(error).includes('unix:'),
  );
});

test('WA-14 to WA-16: a JWT-SVID for every audience asked for is good by the bundle that goes with it', async (t) => {
  const { client } = await shopWith(t, web, batch);
  const { svids = [] } = await client.fetchJwt(['orders', 'billing']);
  assert.deepEqual(svids.map(({ spiffe_id, hint = '' }) => `${spiffe_id} ${hint}`).sort(), [
    'spiffe://shop.example/batch internal',
    'spiffe://shop.example/web ',
  ]);
  for (const { spiffe_id, svid = '' } of svids) {
    for (const audience of ['orders', 'billing']) {
      const { spiffe_id: validated, claims } = await client.validateJwt(audience, svid);
      assert.equal(validated, spiffe_id);
      assert.equal(claims?.fields?.sub?.stringValue, spiffe_id);
      assert.deepEqual(
        claims?.fields?.aud?.listValue?.values?.map(({ stringValue }) => stringValue),
        ['billing', 'orders'],
      );
    }
    await assert.rejects(client.validateJwt('shipping', svid), /INVALID_ARGUMENT/);
  }
  const { bundles = {} } = await client.jwtBundles().next();
  assert.deepEqual(Object.keys(bundles), ['spiffe://shop.example']);
});
