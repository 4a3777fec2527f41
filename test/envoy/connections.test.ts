import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { testCa } from '../support/ca.js';
import { temporaryFolder } from '../support/children.js';
import { fixedPolicy } from '../support/fixed-policy.js';
import { http1 } from '../support/http-client.js';
import { startShopEnvoy } from '../support/shop.js';
import { startTestAgent } from '../support/test-agent.js';

// Connections end before SVIDs do, because Envoy looks at a certificate only when a connection opens. Here they end after a
// second in place of ten minutes.

const ca = testCa('shop.example');
const web = 'spiffe://shop.example/web';
const orders = 'spiffe://shop.example/orders';
const folder = temporaryFolder({ after });
const shortened = (text: string) =>
  text.replace(/max_connection_duration: 600s/g, 'max_connection_duration: 1s');

const ordersAgent = await startTestAgent({ after }, join(folder, 'orders.sock'), {
  svids: [ca.svid(orders).svid],
  bundles: [ca.bundle],
  policies: [fixedPolicy(orders, [web])],
});
const webAgent = await startTestAgent({ after }, join(folder, 'web.sock'), {
  svids: [ca.svid(web).svid],
  bundles: [ca.bundle],
});
const ordersEnvoy = await startShopEnvoy({ after }, 'inbound', {
  agent: ordersAgent.socket,
  change: shortened,
});
await ordersEnvoy.policy();
const port = await ordersEnvoy.port('inbound');

test('an HTTP/1 connection is told to close with an answer, and not before one', async () => {
  const svid = ca.svid(web);
  const target = { port, identity: { cert: svid.chainPem, key: svid.keyPem } };
  for (let connections = 0; connections < 2; connections++) {
    const client = await http1(target);
    assert.equal((await client.send({})).headers.connection, undefined);
    // Longer than the connection may live: it stays open, since a request might be on its way.
    await sleep(1_200);
    const { status, headers } = await client.send({});
    assert.deepEqual([status, headers.connection], [200, 'close']);
    client.close();
  }
});

test('between Envoys connections are replaced while requests run, and no request fails', async () => {
  const webEnvoy = await startShopEnvoy({ after }, 'both', {
    agent: webAgent.socket,
    values: { ORDERS_HOST: '127.0.0.1', ORDERS_PORT: port },
    change: shortened,
  });
  const client = await http1(webEnvoy.outbound);
  while ((await webEnvoy.stat('cluster.orders.upstream_cx_total')) < 3) {
    for (let calls = 0; calls < 50; calls++) assert.equal((await client.send({})).status, 200);
  }
  client.close();
});
