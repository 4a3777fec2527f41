import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { shop } from '../../test/support/agent.js';
import { testCa } from '../../test/support/ca.js';
import { identityOf, servedWorkloadApi, viewOf } from '../../test/support/served-workload-api.js';
import type { X509State } from '../../test/support/workload-api.js';
import { remoteStatus } from '../transport/grpc-client.js';

const ca = testCa(shop);
const intermediate = ca.intermediate();
const partner = testCa('partner.example');
const web = intermediate.svid('spiffe://shop.example/web').svid;
const webAgain = intermediate.svid('spiffe://shop.example/web').svid;
const batch = ca.svid('spiffe://shop.example/batch').svid;
const admin = ca.svid('spiffe://shop.example/admin').svid;

const idsOf = ({ svids = [] }: X509State) => svids.map(({ spiffe_id = '' }) => spiffe_id.split('/').at(-1));

test('WA-07: keys and chains are DER, the leaf first, with an unencrypted PKCS#8 key and the roots', async (t) => {
  const { client } = await servedWorkloadApi(t, viewOf(ca.bundle, [identityOf(web, 'main')]));
  const { svids = [] } = await client.x509Svids().next();
  const [svid = assert.fail()] = svids;
  assert.deepEqual(
    { ...svid },
    {
      spiffe_id: web.id,
      x509_svid: Buffer.concat(web.chain),
      x509_svid_key: Buffer.from(web.privateKey),
      bundle: Buffer.from(ca.certificate.der),
      hint: 'main',
    },
  );
  const leaf = new X509Certificate(svid.x509_svid ?? Buffer.alloc(0));
  const key = createPrivateKey({ key: svid.x509_svid_key ?? Buffer.alloc(0), format: 'der', type: 'pkcs8' });
  assert.ok(leaf.checkPrivateKey(key));
});

test('WA-08: bundles of federated trust domains go by their SPIFFE ID, X.509 alone, and none is pooled with another', async (t) => {
  const view = viewOf(ca.bundle, [identityOf(web)], partner.bundle);
  const { client } = await servedWorkloadApi(t, view);
  const state = await client.x509Svids().next();
  assert.deepEqual(state.federated_bundles, {
    'spiffe://partner.example': Buffer.from(partner.certificate.der),
  });
  assert.deepEqual(state.svids?.[0]?.bundle, Buffer.from(ca.certificate.der));
});

test('WA-13: the X.509 bundles are those of the own trust domain and of the federated ones', async (t) => {
  const view = viewOf(ca.bundle, [identityOf(web)], partner.bundle);
  const { client } = await servedWorkloadApi(t, view);
  assert.deepEqual((await client.x509Bundles().next()).bundles, {
    'spiffe://partner.example': Buffer.from(partner.certificate.der),
    'spiffe://shop.example': Buffer.from(ca.certificate.der),
  });
});

test('WA-09: of several identities with one hint only the first is given, and those without hint all are', async (t) => {
  const identities = [
    identityOf(web, 'main'),
    identityOf(batch),
    { ...identityOf(admin, 'main'), entryId: 'younger' },
    { ...identityOf(webAgain), entryId: 'another' },
  ];
  const { client } = await servedWorkloadApi(t, viewOf(ca.bundle, identities));
  assert.deepEqual(idsOf(await client.x509Svids().next()), ['web', 'batch', 'web']);
});

test('WA-09: the older entry keeps its hint while it has no SVID, so that no other identity goes by it', async (t) => {
  const identities = [identityOf(batch), identityOf(web, 'main', false), identityOf(admin, 'main')];
  const { client } = await servedWorkloadApi(t, viewOf(ca.bundle, identities));
  assert.deepEqual(idsOf(await client.x509Svids().next()), ['batch']);
});

test('WA-11: the default identity is first in every answer, and nothing is said while it has no SVID', async (t) => {
  const identities = [identityOf(web, '', false), identityOf(batch)];
  const { client, show } = await servedWorkloadApi(t, viewOf(ca.bundle, identities));
  await assert.rejects(client.x509Svids().next(), (error) => remoteStatus(error) === 'UNAVAILABLE');
  show(viewOf(ca.bundle, [identityOf(web), identityOf(batch)]));
  const stream = client.x509Svids();
  assert.deepEqual(idsOf(await stream.next()), ['web', 'batch']);
  show(viewOf(ca.bundle, identities));
  show(viewOf(ca.bundle, [identityOf(webAgain), identityOf(batch)]));
  assert.deepEqual(idsOf(await stream.next()), ['web', 'batch']);
});

test('WA-02: every message of a stream is the whole state, whichever part of it changed', async (t) => {
  const { client, show } = await servedWorkloadApi(t, viewOf(ca.bundle, [identityOf(web)], partner.bundle));
  const stream = client.x509Svids();
  const first = await stream.next();
  show(viewOf(ca.bundle, [identityOf(webAgain), identityOf(batch)], partner.bundle));
  const second = await stream.next();
  assert.deepEqual(idsOf(second), ['web', 'batch']);
  assert.deepEqual(second.federated_bundles, first.federated_bundles);
  show(viewOf(ca.bundle, [identityOf(webAgain), identityOf(batch)]));
  const third = await stream.next();
  assert.deepEqual(third.svids, second.svids);
  assert.deepEqual(third.federated_bundles ?? {}, {});
});

test('WA-03: the first message comes at once, and what did not change is not sent again', async (t) => {
  const { client, show } = await servedWorkloadApi(t, viewOf(ca.bundle, [identityOf(web)]));
  const [svids, bundles] = [client.x509Svids(), client.x509Bundles()];
  await Promise.all([svids.next(), bundles.next()]);
  show(viewOf(ca.bundle, [identityOf(web)]));
  show(viewOf(ca.bundle, [identityOf(webAgain)]));
  assert.deepEqual((await svids.next()).svids?.[0]?.x509_svid, Buffer.concat(webAgain.chain));
  // A new SVID is no news for who asked for bundles.
  show(viewOf(ca.bundle, [identityOf(webAgain)], partner.bundle));
  assert.equal(Object.keys((await bundles.next()).bundles ?? {}).length, 2);
});

test('WA-12: without any identity there is PermissionDenied, at once or when the last one goes, and no selector in it', async (t) => {
  const { client, show } = await servedWorkloadApi(t, viewOf(ca.bundle, [identityOf(web)], partner.bundle));
  const open = [client.x509Svids(), client.x509Bundles(), client.jwtBundles()];
  for (const stream of open) await stream.next();
  show(viewOf(ca.bundle, []));
  const denied = (error: unknown) => {
    assert.equal(remoteStatus(error), 'PERMISSION_DENIED');
    assert.match(String(error), /WLA0201: no identity issued/);
    assert.doesNotMatch(String(error), /unix:/);
    return true;
  };
  for (const stream of open) await assert.rejects(stream.next(), denied);
  await assert.rejects(client.x509Svids().next(), denied);
  await assert.rejects(client.x509Bundles().next(), denied);
  await assert.rejects(client.jwtBundles().next(), denied);
  await assert.rejects(client.fetchJwt(['orders']), denied);
});
