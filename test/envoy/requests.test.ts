import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { testCa } from '../support/ca.js';
import { temporaryFolder } from '../support/children.js';
import { ordersPolicy } from '../support/compiled-policy.js';
import { fixedPolicy } from '../support/fixed-policy.js';
import { attempt, type Call, http1, http2Client } from '../support/http-client.js';
import { startShopEnvoy, waitFor } from '../support/shop.js';
import { startTestAgent } from '../support/test-agent.js';

const ca = testCa('shop.example');
const web = 'spiffe://shop.example/web';
const orders = 'spiffe://shop.example/orders';
const policies = [fixedPolicy(orders, [web])];

const agent = await startTestAgent({ after }, join(temporaryFolder({ after }), 'agent.sock'), {
  svids: [ca.svid(orders).svid],
  bundles: [ca.bundle],
});
const envoy = await startShopEnvoy({ after }, 'inbound', { agent: agent.socket });
const svid = ca.svid(web);
const target = { port: await envoy.port('inbound'), identity: { cert: svid.chainPem, key: svid.keyPem } };

test('with no policy yet everything is denied; the first policy is in force on open connections', async () => {
  const clients = [await http1(target), await http2Client(target)];
  for (const client of clients) assert.equal((await client.send({ path: '/early' })).status, 403);
  assert.deepEqual(envoy.received, []);
  assert.equal((await envoy.logged(({ path }) => path === '/early')).rule, 'no-policy-yet');
  agent.give({ policies });
  for (const client of clients) {
    await waitFor(async () => (await client.send({})).status === 200, 'the first policy');
    client.close();
  }
});

/** Sends a call over HTTP/1.1 and over HTTP/2 and gives the headers that reached the application. */
async function headersReceived(call: Call) {
  agent.give({ policies });
  const found = [];
  for (const connect of [http1, http2Client]) {
    const client = await connect(target);
    assert.equal((await client.send(call)).status, 200);
    client.close();
    found.push(envoy.received.at(-1)?.headers ?? assert.fail());
  }
  return found;
}

test('a forged x-forwarded-client-cert never reaches the application', async () => {
  const forged = 'By=spiffe://shop.example/orders;Hash=00;URI=spiffe://shop.example/admin';
  for (const value of [forged, [forged, forged], `${forged},${forged}`, '', 'URI=""']) {
    for (const headers of await headersReceived({ headers: { 'x-forwarded-client-cert': value } })) {
      const told = String(headers['x-forwarded-client-cert']);
      assert.match(
        told,
        /^By=spiffe:\/\/shop\.example\/orders;Hash=[0-9a-f]{64};URI=spiffe:\/\/shop\.example\/web$/,
      );
    }
  }
});

test('nobody’s x-envoy-* headers are believed, whatever x-forwarded-for says', async () => {
  const forged = {
    'x-forwarded-for': '127.0.0.1',
    'x-envoy-internal': 'true',
    'x-envoy-external-address': '10.0.0.1',
    'x-envoy-original-path': '/admin',
    'x-envoy-retry-on': '5xx',
    'x-envoy-upstream-rq-timeout-ms': '1',
    'x-envoy-decorator-operation': 'admin',
  };
  for (const headers of await headersReceived({ headers: forged })) {
    const told = Object.keys(headers).filter((name) => name.startsWith('x-envoy-'));
    assert.deepEqual(told, ['x-envoy-external-address']);
    assert.equal(headers['x-envoy-external-address'], '127.0.0.1');
    assert.notEqual(headers['x-forwarded-for'], '127.0.0.1');
  }
});

test('a header that some servers would read as another one is refused', async () => {
  const headers = { x_forwarded_client_cert: 'URI=spiffe://shop.example/admin' };
  assert.equal(await attempt(target, { headers }), 400);
});

test('no spelling of a path gets past an allow-list', async () => {
  agent.give({
    policies: [ordersPolicy('  - { name: reads, from: web, to: orders, allow: [GET /v1/**, GET /admins] }')],
  });
  await untilDecidedBy('shop.yaml:reads', { path: '/v1' });
  const before = envoy.received.length;
  const attack = async (connect: typeof http1, path: string) => {
    const client = await connect(target);
    // What is no path at all, Envoy answers over HTTP/2 by ending the connection.
    const status = await client.send({ path }).then(
      (reply) => reply.status,
      () => 'ended',
    );
    assert.ok([400, 403, 'ended'].includes(status), `${path}: ${status}`);
    client.close();
  };
  await Promise.all(notAllowed.flatMap((path) => [attack(http1, path), attack(http2Client, path)]));
  assert.deepEqual(envoy.received.slice(before), []);
});

const notAllowed = String.raw`
  /admin /admin/ /a/../admin //admin /admin%2f /admin;x /ADMIN /%61dmin /admin?/v1/
  /v1/../admin /v1/%2e%2e/admin /v1/%2E./admin /v1/.%2e/admin /v1/..%2fadmin /v1/..%5cadmin
  /v1\..\admin \v1\..\admin /v1/..;/admin /v1/..;a=b/admin /v1;/../admin /v1/../../admin /v1/x/../../admin
  /admin#/v1/ /v1# /v1%00 /v1%2f /V1 /v1x /v1;x v1 * http://orders/admin http://orders/v1/../admin
  /admins/ /admins/x /admins;x /admin%73%2f
`
  .trim()
  .split(/\s+/);

test('what an allow-list allows reaches the application in the spelling that was judged', async () => {
  const spellings = {
    '/v1/orders': [
      '/v1/orders',
      '//v1/orders',
      '/v1/x/../orders',
      '/v1/./orders',
      '/v1//orders',
      '/%761/orders',
    ],
    '/v1/admin': ['/v1//../admin', '/admin/../v1/admin', '/v1/%61dmin'],
    '/v1/orders?to=/../admin': ['/v1/orders?to=/../admin'],
  };
  for (const [judged, paths] of Object.entries(spellings)) {
    for (const path of paths) {
      assert.equal(await attempt(target, { path }), 200, path);
      assert.equal(envoy.received.at(-1)?.path, judged);
    }
  }
  assert.equal(await attempt(target, { path: '/v1/orders', method: 'POST' }), 403);
});

test('a rule ends at its `until`, also with nobody there to say so', async () => {
  const until = Math.ceil(Date.now() / 1000) * 1000 + 2_000;
  const rule = `{ name: refunds, from: web, to: orders, allow: ANY /**, until: "${instant(until)}", reason: OPS-412 }`;
  agent.give({ policies: [ordersPolicy(`  - ${rule}`)] });
  const client = await http1(target);
  await untilDecidedBy('shop.yaml:refunds', { path: '/refunds' });
  await agent.stop();
  assert.equal((await client.send({ path: '/refunds' })).status, 200);
  await sleep(until + 100 - Date.now());
  assert.equal((await client.send({ path: '/too-late' })).status, 403);
  client.close();
  assert.equal((await envoy.logged(({ path }) => path === '/too-late')).rule, 'default-deny');
});

const instant = (at: number) => new Date(at).toISOString().replace('.000Z', 'Z');

/** A policy is in force soon after it was given: when its rule decides a call that it allows. */
async function untilDecidedBy(rule: string, call: Call): Promise<void> {
  const stat = `http.inbound.rbac.live_.policy.${rule}.allowed`;
  await waitFor(async () => {
    await attempt(target, call);
    return (await envoy.stat(stat)) > 0;
  }, `the rule ${rule}`);
}
