import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, statSync } from 'node:fs';
import { createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { type TestSvid, testCa } from '../support/ca.js';
import { temporaryFolder } from '../support/children.js';
import { once1 } from '../support/http-client.js';
import { startShopEnvoy } from '../support/shop.js';
import { startTestAgent } from '../support/test-agent.js';

const ca = testCa('shop.example');
const web = 'spiffe://shop.example/web';
const orders = 'spiffe://shop.example/orders';
const intruder = 'spiffe://shop.example/intruder';
const identityOf = (svid: TestSvid) => ({ cert: svid.chainPem, key: svid.keyPem });

// What another service of the same trust domain, and another user of the same machine, must not be able to do.

// Whoever stands where `orders` should: it shows the certificate that a test gives it, and counts what it is sent.
const requests: string[] = [];
const server = createSecureServer(identityOf(ca.svid(orders)), (request, response) => {
  requests.push(request.url);
  response.end('hello from somebody');
});
await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
after(() => server.close());

const agent = await startTestAgent({ after }, join(temporaryFolder({ after }), 'agent.sock'), {
  svids: [ca.svid(web).svid],
  bundles: [ca.bundle],
});
const caller = await startShopEnvoy({ after }, 'both', {
  agent: agent.socket,
  values: { ORDERS_HOST: '127.0.0.1', ORDERS_PORT: (server.address() as AddressInfo).port },
});

const impostors: [what: string, svid: TestSvid][] = [
  ['another service of the same trust domain', ca.svid(intruder)],
  ['another service with spiffe:// of `orders` in a DNS SAN', ca.svid(intruder, { dns: [orders] })],
  [
    'another service with the SPIFFE ID of `orders` as its subject',
    ca.svid(intruder, { commonName: orders }),
  ],
  ['a service whose SPIFFE ID begins with that of `orders`', ca.svid(`${orders}-2`)],
  ['a service below `orders`', ca.svid(`${orders}/x`)],
  ['the caller itself', ca.svid(web)],
  ['`orders` of another CA', testCa('shop.example').svid(orders)],
  ['`orders` of another trust domain', testCa('evil.example').svid('spiffe://evil.example/orders')],
  ['`orders` with an SVID that has expired', ca.svid(orders, { notAfter: Date.now() - 1_000 })],
];

for (const [index, [what, svid]] of impostors.entries()) {
  test(`${what}, serving as \`orders\`, receives no request from \`web\``, async () => {
    server.setSecureContext(identityOf(svid));
    const path = `/${index}`;
    const { status } = await once1(caller.outbound, { path });
    assert.equal(status, 503);
    const line = await caller.logged((line) => line.path === path);
    assert.match(String(line.reason), /CERTIFICATE_VERIFY_FAILED/);
    assert.deepEqual(requests, []);
  });
}

test('`orders` itself receives it', async () => {
  server.setSecureContext(identityOf(ca.svid(orders)));
  assert.equal((await once1(caller.outbound, { path: '/yes' })).status, 200);
  assert.deepEqual(requests, ['/yes']);
  const line = await caller.logged(({ path }) => path === '/yes');
  assert.deepEqual([line.event, line.caller, line.service, line.code], ['call', web, orders, 200]);
});

test('the outbound listener and the admin interface are for their own user only', () => {
  for (const path of [caller.outbound.socketPath, caller.adminSocket]) {
    assert.equal(statSync(path).mode & 0o777, 0o600, path);
  }
});

const notRoot = process.getuid?.() === 0 ? false : 'only root can try it as another user';

test('another user can open neither of them', { skip: notRoot }, () => {
  const sockets = [caller.outbound.socketPath, caller.adminSocket];
  // The folder lets everybody in for a moment, so that it is the sockets which refuse.
  for (const path of sockets) chmodSync(dirname(path), 0o755);
  for (const path of sockets)
    assert.deepEqual([connectAs(65534, path), connectAs(0, path)], ['EACCES', 'open']);
  for (const path of sockets) chmodSync(dirname(path), 0o700);
});

function connectAs(uid: number, path: string): string {
  const program = `
    process.setgroups([]); process.setgid(${uid}); process.setuid(${uid});
    const socket = require('node:net').connect(${JSON.stringify(path)});
    socket.on('connect', () => { console.log('open'); socket.destroy(); });
    socket.on('error', ({ code }) => console.log(code));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' });
  return stdout.trim() || stderr;
}
