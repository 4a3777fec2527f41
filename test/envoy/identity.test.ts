import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { contentVersion } from '../../src/base/digest.js';
import { encodeAny } from '../../src/wire/messages.js';
import type { EncodedResource } from '../../src/wire/resource.js';
import { type TestSvid, testCa } from '../support/ca.js';
import { temporaryFolder } from '../support/children.js';
import { fixedPolicy } from '../support/fixed-policy.js';
import { attempt, http1, once1, type TlsTarget } from '../support/http-client.js';
import { startShopEnvoy, waitFor } from '../support/shop.js';
import { startTestAgent } from '../support/test-agent.js';

// Real Envoys with the files of examples/envoy-configs: what they fetch over SDS, and what becomes of it.

const ca = testCa('shop.example');
const partner = testCa('partner.example');
const web = 'spiffe://shop.example/web';
const orders = 'spiffe://shop.example/orders';
const visitor = 'spiffe://partner.example/visitor';
const folder = temporaryFolder({ after });
const bundles = [ca.bundle, partner.bundle] as const;

const agents = {
  orders: await startTestAgent({ after }, join(folder, 'orders.sock'), {
    svids: [ca.svid(orders).svid],
    bundles,
    policies: [fixedPolicy(orders, [web, visitor])],
  }),
  web: await startTestAgent({ after }, join(folder, 'web.sock'), { svids: [ca.svid(web).svid], bundles }),
};
const ordersEnvoy = await startShopEnvoy({ after }, 'inbound', { agent: agents.orders.socket });
await ordersEnvoy.policy();
const ordersPort = await ordersEnvoy.port('inbound');
const webEnvoy = await startShopEnvoy({ after }, 'both', {
  agent: agents.web.socket,
  values: { ORDERS_HOST: '127.0.0.1', ORDERS_PORT: ordersPort },
});

const as = (svid: TestSvid, port = ordersPort): TlsTarget => ({
  port,
  identity: { cert: svid.chainPem, key: svid.keyPem },
});

test('two Envoys with their SVIDs talk mTLS, and each knows who the other is', async () => {
  const forged = { 'x-forwarded-client-cert': 'URI=spiffe://shop.example/admin' };
  assert.equal((await once1(webEnvoy.outbound, { path: '/v1/orders', headers: forged })).status, 200);
  const [received] = ordersEnvoy.received;
  assert.match(
    String(received?.headers['x-forwarded-client-cert']),
    /^By=[^;,]+;Hash=[^;,]+;URI=spiffe:\/\/shop\.example\/web$/,
  );
  const sent = await webEnvoy.logged(({ event }) => event === 'call');
  const got = await ordersEnvoy.logged(({ event }) => event === 'request');
  for (const line of [sent, got])
    assert.deepEqual([line.caller, line.service, line.code], [web, orders, 200]);
});

test('SVIDs rotate under load, and no request fails', async () => {
  const statuses = new Map<number | 'refused', number>();
  const count = (status: number | 'refused') => statuses.set(status, (statuses.get(status) ?? 0) + 1);
  const kept = await http1(webEnvoy.outbound);
  const caller = as(ca.svid(web));
  let running = true;
  const load = [
    (async () => {
      while (running) count((await kept.send({})).status);
    })(),
    (async () => {
      while (running) count(await attempt(caller));
    })(),
  ];
  for (let round = 0; round < 5; round++) {
    const next = { orders: ca.svid(orders), web: ca.svid(web) };
    agents.orders.give({ svids: [next.orders.svid] });
    agents.web.give({ svids: [next.web.svid] });
    await waitFor(
      async () => (await servedBy(ordersPort)).equals(next.orders.der),
      'the new SVID to be served',
    );
  }
  running = false;
  await Promise.all(load);
  kept.close();
  assert.deepEqual([...statuses.keys()], [200]);
  assert.equal(
    await webEnvoy.stat('cluster.orders.upstream_cx_total'),
    1,
    'the calls went over one connection',
  );
});

/** The certificate, DER, that a new connection is shown. */
async function servedBy(port: number): Promise<Buffer> {
  const client = await http1(as(ca.svid(web), port));
  client.close();
  return client.certificate() ?? assert.fail('no certificate');
}

test('a secret that Envoy refuses changes nothing, and the next good one is taken', async () => {
  const before = await servedBy(ordersPort);
  agents.orders.give({ forced: new Map([['default', brokenSecret('default')]]) });
  await waitFor(() => agents.orders.nacks.length > 0, 'the refusal');
  assert.deepEqual(await servedBy(ordersPort), before);
  assert.equal((await once1(webEnvoy.outbound)).status, 200);
  const next = ca.svid(orders);
  agents.orders.give({ forced: new Map(), svids: [next.svid] });
  await waitFor(
    async () => (await servedBy(ordersPort)).equals(next.der),
    'the good secret after the refused one',
  );
});

/** What our own checks would never let through. */
function brokenSecret(name: string): EncodedResource {
  const certificate_chain = {
    inline_string: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
  };
  const tls_certificate = { certificate_chain, private_key: { inline_string: ca.svid(orders).keyPem } };
  const any = encodeAny('envoy.extensions.transport_sockets.tls.v3.Secret', { name, tls_certificate });
  return { name, version: contentVersion(any), any };
}

test('an Envoy that starts before its agent opens no port until it has its SVID', async (t) => {
  const socket = join(folder, 'late.sock');
  const envoy = await startShopEnvoy(t, 'inbound', { agent: socket, ready: false });
  assert.equal(await envoy.admin('/ready'), 'INITIALIZING\n');
  const port = await envoy.port('inbound');
  await assert.rejects(attempt(as(ca.svid(web), port)), { code: 'ECONNREFUSED' });
  await startTestAgent(t, socket, { svids: [ca.svid(orders).svid], bundles, policies: [] });
  await waitFor(async () => (await envoy.admin('/ready')) === 'LIVE\n', 'the SVID');
  assert.equal(await attempt(as(ca.svid(web), port)), 403);
});

test('an Envoy without a registration entry answers nobody, and works as soon as there is one', async (t) => {
  const nothing = { svids: [], bundles, policies: [fixedPolicy(orders, [web])] };
  const agent = await startTestAgent(t, join(folder, 'no-entry.sock'), nothing);
  const envoy = await startShopEnvoy(t, 'inbound', { agent: agent.socket });
  const caller = as(ca.svid(web), await envoy.port('inbound'));
  assert.equal(await attempt(caller), 'refused');
  agent.give({ svids: [ca.svid(orders).svid] });
  await waitFor(async () => (await attempt(caller)) === 200, 'the SVID and the policy');
});

const good = ca.svid(web);
const foreign = partner.svid(visitor);
const names: {
  svid: string;
  bundle: string;
  api: 'GRPC' | 'DELTA_GRPC';
  own: number | 'refused';
  foreign: number | 'refused';
}[] = [
  { svid: 'default', bundle: 'ROOTCA', api: 'GRPC', own: 200, foreign: 'refused' },
  { svid: orders, bundle: 'ALL', api: 'DELTA_GRPC', own: 200, foreign: 200 },
  { svid: 'default', bundle: 'ALL', api: 'GRPC', own: 200, foreign: 200 },
  { svid: orders, bundle: 'spiffe://shop.example', api: 'GRPC', own: 200, foreign: 'refused' },
  { svid: 'default', bundle: 'spiffe://partner.example', api: 'DELTA_GRPC', own: 'refused', foreign: 200 },
];

for (const { svid, bundle, api, ...expected } of names) {
  test(`an Envoy gets its secrets as \`${svid}\` and \`${bundle}\` over ${api}`, async (t) => {
    const port = await variant(t, (text) =>
      text
        .replace('name: default\n', `name: ${svid}\n`)
        .replace('name: ROOTCA', `name: ${bundle}`)
        .replace('api_type: DELTA_GRPC', `api_type: ${api}`),
    );
    assert.deepEqual(
      { own: await attempt(as(good, port)), foreign: await attempt(as(foreign, port)) },
      expected,
    );
  });
}

for (const api of ['GRPC', 'DELTA_GRPC']) {
  test(`an Envoy gets its secrets and its policy over one aggregated ${api} stream`, async (t) => {
    const ads = `{ api_type: ${api}, transport_api_version: V3, grpc_services: [{ envoy_grpc: { cluster_name: agent } }] }`;
    const port = await variant(t, (text) =>
      text
        .replace('\nstatic_resources:', `\ndynamic_resources: { ads_config: ${ads} }\n$&`)
        .replace(/api_config_source:\n( {24}.*\n)+/, 'ads: {}\n')
        .replace('name: ROOTCA', 'name: ALL'),
    );
    assert.deepEqual([await attempt(as(good, port)), await attempt(as(foreign, port))], [200, 200]);
    assert.equal(await attempt(as(testCa('shop.example').svid(web), port)), 'refused');
  });
}

async function variant(t: TestContext, change: (bootstrap: string) => string): Promise<number> {
  const envoy = await startShopEnvoy(t, 'inbound', { agent: agents.orders.socket, change });
  const port = await envoy.port('inbound');
  await envoy.policy();
  return port;
}

test('while the agent is away everything goes on, and what changed meanwhile arrives when it is back', async (t) => {
  await agents.orders.stop();
  assert.equal(await attempt(as(ca.svid(web))), 200);
  const next = ca.svid(orders);
  const back = await startTestAgent(t, agents.orders.socket, {
    svids: [next.svid],
    bundles,
    policies: [fixedPolicy(orders, [visitor])],
  });
  await waitFor(async () => (await servedBy(ordersPort)).equals(next.der), 'the new SVID');
  await waitFor(async () => (await attempt(as(ca.svid(web)))) === 403, 'the new policy');
  back.give({ policies: [fixedPolicy(orders, [web, visitor])] });
  await waitFor(async () => (await attempt(as(ca.svid(web)))) === 200, 'the old policy again');
});
