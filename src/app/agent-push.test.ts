import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { recordingLog } from '../../test/support/log.js';
import {
  followSecrets,
  type ProxyView,
  runningAgent,
  type SecretMessage,
} from '../../test/support/running-agent.js';
import {
  agentApi,
  createEntries,
  demoNode,
  entryApi,
  entryMessage,
  joinToken,
  runningServer,
} from '../../test/support/running-server.js';
import { until } from '../../test/support/until.js';
import { pathOf } from '../spiffe/id.js';

const hour = 3_600_000;
const selectors = [`unix:uid:${process.geteuid?.()}`, `unix:path:${process.execPath}`];
const webId = 'spiffe://shop.example/web';
const web = entryMessage('/web', '/node/demo', selectors);

/** An agent that would poll once an hour, and a proxy that waits for `names`. */
async function setUp(t: TestContext, ...names: string[]) {
  const server = await runningServer(t);
  const log = recordingLog();
  const joined = { token: await joinToken(server, demoNode) };
  const running = await runningAgent(t, server, { joinToken: joined, syncIntervalMs: hour, log });
  const proxy = followSecrets(t, running.settings.socket, ...names);
  return { server, log, proxy, ...running };
}

function certificateOf(proxy: ProxyView<SecretMessage>, name = 'default'): X509Certificate | undefined {
  const chain = proxy.resources.get(name)?.tls_certificate?.certificate_chain?.inline_bytes;
  return chain && new X509Certificate(chain);
}

const nameOf = (proxy: ProxyView<SecretMessage>) => certificateOf(proxy)?.subjectAltName;

test('SDS+13: an entry that is created, updated and deleted shows on the open stream without any poll', async (t) => {
  const { server, proxy } = await setUp(t, 'default');
  await until(() => proxy.removed.has('default'));
  const [id = ''] = await createEntries(server, web);
  await until(() => nameOf(proxy) === `URI:${webId}`);
  await server.admin.unary(entryApi.BatchUpdateEntry, {
    entries: [{ id, dns_names: ['web.local'] }],
    input_mask: { dns_names: true },
  });
  await until(() => nameOf(proxy)?.includes('DNS:web.local') === true);
  await server.admin.unary(entryApi.BatchDeleteEntry, { ids: [id] });
  await until(() => proxy.removed.has('default'));
  assert.equal(proxy.ended, undefined);
});

test('an entry that expires takes its SVID along (S9)', async (t) => {
  const { server, proxy } = await setUp(t, 'default');
  const expires_at = Math.floor(Date.now() / 1000) + 3;
  await createEntries(server, { ...web, expires_at });
  await until(() => proxy.resources.has('default'));
  await until(() => proxy.removed.has('default'));
  assert.ok(Date.now() >= expires_at * 1000);
});

test('an entry that is made again under its old ID gives an SVID of its own, whatever it names now', async (t) => {
  const { server, proxy } = await setUp(t, 'default');
  const id = 'one-entry';
  await createEntries(server, { ...web, id });
  await until(() => nameOf(proxy) === `URI:${webId}`);
  for (const dns_names of [['a.local'], ['b.local']]) {
    await server.admin.unary(entryApi.BatchDeleteEntry, { ids: [id] });
    await createEntries(server, { ...web, id, dns_names });
    await until(() => nameOf(proxy)?.includes(`DNS:${dns_names[0]}`) === true);
  }
  await server.admin.unary(entryApi.BatchDeleteEntry, { ids: [id] });
  await createEntries(server, { ...entryMessage('/orders', '/node/demo', selectors), id });
  await until(() => nameOf(proxy) === 'URI:spiffe://shop.example/orders');
});

test('SDS+11: the entry with the hint `default` gives the default identity as soon as it is there, the oldest one when it is gone', async (t) => {
  const { server, proxy } = await setUp(t, 'default');
  await createEntries(server, web);
  await until(() => nameOf(proxy) === `URI:${webId}`);
  const orders = entryMessage('/orders', '/node/demo', selectors, { hint: 'default' });
  const [id = ''] = await createEntries(server, orders);
  await until(() => nameOf(proxy) === 'URI:spiffe://shop.example/orders');
  await server.admin.unary(entryApi.BatchDeleteEntry, { ids: [id] });
  await until(() => nameOf(proxy) === `URI:${webId}`);
});

test('many entries at once are few rounds, and each has its SVID', async (t) => {
  const { server, agent, proxy } = await setUp(t, 'default');
  await until(() => proxy.removed.has('default'));
  let changes = 0;
  agent.identities.onChange(() => changes++);
  const paths = Array.from({ length: 200 }, (_, index) => `/many/${index}`);
  for (let from = 0; from < paths.length; from += 10) {
    const some = paths.slice(from, from + 10);
    await createEntries(server, ...some.map((path) => entryMessage(path, '/node/demo', ['unix:uid:4711'])));
  }
  // The alias that the token brought is an entry too.
  await until(() => agent.status().svids === paths.length + 1);
  assert.ok(changes < paths.length, `${changes} changes`);
});

test('a ban withdraws everything at once, without any poll (S12)', async (t) => {
  const { server, agent, proxy } = await setUp(t, 'default');
  await createEntries(server, web);
  await until(() => proxy.resources.has('default'));
  const id = { trust_domain: 'shop.example', path: pathOf(agent.status().id ?? assert.fail()) };
  await server.admin.unary(agentApi.BanAgent, { id });
  await until(() => !agent.status().serving);
  assert.match(agent.status().trouble ?? '', /AGT0404/);
});

test('a server that goes away takes nothing along, and when it is back the agent follows it again', async (t) => {
  const { server, agent, proxy } = await setUp(t, 'default', webId, 'spiffe://shop.example/orders');
  await createEntries(server, web);
  await until(() => proxy.resources.has(webId));
  const before = certificateOf(proxy)?.serialNumber;
  await server.close();
  // The poll that the broken stream would bring about is an hour away: what happens below is the feed alone.
  const again = await runningServer(t, { dataDir: server.dataDir, port: server.port });
  await createEntries(again, entryMessage('/orders', '/node/demo', selectors));
  await until(() => proxy.resources.has('spiffe://shop.example/orders'));
  assert.equal(certificateOf(proxy)?.serialNumber, before, 'nothing was withdrawn or signed again');
  assert.equal(agent.status().serving, true);
});

test('entries that went while the agent was not connected are gone when it comes back', async (t) => {
  const { server, agent, proxy, close, settings } = await setUp(t, webId);
  const [id = ''] = await createEntries(server, web);
  await until(() => proxy.resources.has(webId));
  assert.equal(agent.status().serving, true);
  await close();
  await server.admin.unary(entryApi.BatchDeleteEntry, { ids: [id] });
  await createEntries(server, entryMessage('/orders', '/node/demo', selectors));
  const second = await runningAgent(t, server, { ...settings, joinToken: {} });
  const other = followSecrets(t, second.settings.socket, webId, 'spiffe://shop.example/orders');
  await until(() => other.resources.has('spiffe://shop.example/orders') && other.removed.has(webId));
});

test('the agent follows on with its next SVID, and the server does not hear two of it', async (t) => {
  const server = await runningServer(t, { x509SvidTtl: 3 });
  const joined = { token: await joinToken(server, demoNode) };
  const running = await runningAgent(t, server, { joinToken: joined, syncIntervalMs: hour });
  const proxy = followSecrets(t, running.settings.socket, 'default');
  const first = running.agent.svid.current();
  await until(() => running.agent.svid.current() !== first);
  await createEntries(server, { ...web, x509_svid_ttl: 600 });
  await until(() => proxy.resources.has('default'));
  assert.equal(running.agent.status().trouble, undefined);
});
