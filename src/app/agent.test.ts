import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { shop } from '../../test/support/agent.js';
import { testCa } from '../../test/support/ca.js';
import { temporaryFolder } from '../../test/support/children.js';
import { recordingLog } from '../../test/support/log.js';
import {
  bundlePemOf,
  followPolicies,
  followSecrets,
  type PolicyMessage,
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
import { sha256Hex } from '../base/digest.js';
import { isFault } from '../base/faults/fault.js';
import { parseSpiffeId, pathOf } from '../spiffe/id.js';
import { runAgent } from './agent.js';

const thisUser = `unix:uid:${process.geteuid?.()}`;
const thisProgram = `unix:path:${process.execPath}`;

/** A server with `entries` on the node `/node/demo`, and a token for that node. */
async function serverWith(t: TestContext, ...entries: Parameters<typeof createEntries>[1][]) {
  const server = await runningServer(t);
  if (entries.length > 0) await createEntries(server, ...entries);
  return { server, joinToken: { token: await joinToken(server, demoNode) } };
}

const web = entryMessage('/web', '/node/demo', [thisUser, thisProgram]);

function certificateOf(secret: SecretMessage | undefined): X509Certificate {
  const chain = secret?.tls_certificate?.certificate_chain?.inline_bytes;
  return new X509Certificate(chain ?? assert.fail('no certificate'));
}

test('a workload gets its SVID and the bundle over SDS from an agent that attested to a real server', async (t) => {
  const { server, joinToken } = await serverWith(t, web);
  const { settings, agent } = await runningAgent(t, server, { joinToken });
  const client = followSecrets(
    t,
    settings.socket,
    'default',
    'ROOTCA',
    'spiffe://shop.example/web',
    'spiffe://shop.example/orders',
  );
  await until(() => client.resources.size === 3 && client.removed.has('spiffe://shop.example/orders'));
  const certificate = certificateOf(client.resources.get('default'));
  assert.equal(certificate.subjectAltName, 'URI:spiffe://shop.example/web');
  assert.equal(statSync(settings.socket).mode & 0o777, 0o777);
  assert.equal(statSync(settings.adminSocket).mode & 0o777, 0o600);
  assert.match(agent.status().id ?? '', /^spiffe:\/\/shop\.example\/spire\/agent\/join_token\//);
});

test('a new entry reaches the open stream with the next sync, and a removed one is not served any more', async (t) => {
  const { server, joinToken } = await serverWith(t);
  const { settings } = await runningAgent(t, server, { joinToken });
  const client = followSecrets(t, settings.socket, 'default');
  await until(() => client.removed.has('default'));
  const [id = ''] = await createEntries(server, web);
  await until(() => client.resources.has('default'));
  await server.admin.unary(entryApi.BatchDeleteEntry, { ids: [id] });
  await until(() => client.removed.has('default'));
  assert.equal(client.ended, undefined);
});

test('an updated entry gives a new SVID on the open stream', async (t) => {
  const { server, joinToken } = await serverWith(t);
  const [id = ''] = await createEntries(server, web);
  const { settings } = await runningAgent(t, server, { joinToken });
  const client = followSecrets(t, settings.socket, 'default');
  await until(() => client.resources.has('default'));
  await server.admin.unary(entryApi.BatchUpdateEntry, {
    entries: [{ id, dns_names: ['web.local'] }],
    input_mask: { dns_names: true },
  });
  await until(() =>
    /DNS:web\.local/.test(certificateOf(client.resources.get('default')).subjectAltName ?? ''),
  );
});

test('SVIDs rotate at half of their life on the open stream, again and again, each with a new key', async (t) => {
  const { server, joinToken } = await serverWith(t, { ...web, x509_svid_ttl: 2 });
  const { settings } = await runningAgent(t, server, { joinToken });
  const client = followSecrets(t, settings.socket, 'default');
  const seen = new Map<string, X509Certificate>();
  const keys = new Set<string>();
  await until(() => {
    const secret = client.resources.get('default');
    if (secret) {
      const certificate = certificateOf(secret);
      seen.set(certificate.serialNumber, certificate);
      keys.add(String(secret.tls_certificate?.private_key?.inline_bytes));
      assert.ok(Date.parse(certificate.validTo) > Date.now(), 'an expired SVID is in the proxy');
    }
    return seen.size === 4;
  });
  assert.equal(keys.size, 4);
});

test('the agent renews its own SVID with the server, which then refuses the old one', async (t) => {
  const server = await runningServer(t, { x509SvidTtl: 3 });
  await createEntries(server, { ...web, x509_svid_ttl: 600 });
  const { agent } = await runningAgent(t, server, {
    joinToken: { token: await joinToken(server, demoNode) },
  });
  const first = agent.svid.current();
  await until(() => agent.svid.current() !== first);
  const before = agent.status().lastSync ?? 0;
  await until(() => (agent.status().lastSync ?? 0) > before);
  assert.equal(agent.status().trouble, undefined);
  assert.equal(agent.svid.current()?.id, first?.id);
});

test('a restarted agent goes on with what it kept, without a token', async (t) => {
  const { server, joinToken } = await serverWith(t, web);
  const first = await runningAgent(t, server, { joinToken });
  const id = first.agent.status().id;
  await first.close();
  const second = await runningAgent(t, server, { ...first.settings, joinToken: {} });
  const client = followSecrets(t, second.settings.socket, 'default');
  await until(() => client.resources.has('default'));
  assert.equal(second.agent.status().id, id);
});

test('an agent that starts while its server is down opens its socket, says nothing, and serves when the server is back', async (t) => {
  const { server, joinToken } = await serverWith(t, web);
  const first = await runningAgent(t, server, { joinToken });
  await first.close();
  await server.close();
  const second = await runningAgent(t, server, { ...first.settings, joinToken: {} });
  const client = followSecrets(t, second.settings.socket, 'default');
  await until(() => second.agent.status().trouble !== undefined);
  assert.deepEqual([client.responses, client.ended], [0, undefined]);
  await runningServer(t, { dataDir: server.dataDir, port: server.port });
  await until(() => client.resources.has('default'));
});

test('while the server is away the streams stay and so do the secrets', async (t) => {
  const { server, joinToken } = await serverWith(t, web);
  const { settings, agent } = await runningAgent(t, server, { joinToken });
  const client = followSecrets(t, settings.socket, 'default');
  await until(() => client.resources.has('default'));
  await server.close();
  await until(() => agent.status().trouble !== undefined);
  const late = followSecrets(t, settings.socket, 'default');
  await until(() => late.resources.has('default'));
  assert.deepEqual([client.responses, client.ended], [1, undefined]);
  await runningServer(t, { dataDir: server.dataDir, port: server.port });
  await until(() => agent.status().trouble === undefined);
  assert.equal(client.responses, 1);
});

test('S12: an agent that is banned while it runs pushes nothing more; deleted and attested anew it serves again', async (t) => {
  const { server, joinToken: first } = await serverWith(t, web);
  const folder = temporaryFolder(t);
  const { settings, agent } = await runningAgent(t, server, {
    joinToken: { ...first, file: join(folder, 'token') },
  });
  const id = { trust_domain: 'shop.example', path: pathOf(parseSpiffeId(agent.status().id ?? '')) };
  await server.admin.unary(agentApi.BanAgent, { id });
  await until(() => /AGT0404/.test(agent.status().trouble ?? ''));
  const client = followSecrets(t, settings.socket, 'default', 'ROOTCA');
  await server.admin.unary(agentApi.DeleteAgent, { id });
  writeFileSync(join(folder, 'token'), await joinToken(server, demoNode));
  assert.equal(client.responses, 0);
  await until(() => client.resources.has('default'));
});

test('a foreign server is refused in every way of bootstrapping, before it sees the token', async (t) => {
  const { server, joinToken } = await serverWith(t);
  const foreign = testCa(shop);
  const bootstraps = [
    { kind: 'bundle', bundle: foreign.bundle },
    { kind: 'sha256', fingerprint: sha256Hex(foreign.bundlePem) },
  ] as const;
  for (const bootstrap of bootstraps) {
    await assert.rejects(runningAgent(t, server, { bootstrap, joinToken }), (error) =>
      isFault(error, bootstrap.kind === 'bundle' ? 'AGT0201' : 'AGT0202'),
    );
  }
  // Insecure trusts whoever answers first, but once it did it stays with that one.
  const first = await runningAgent(t, server, { bootstrap: { kind: 'insecure' }, joinToken });
  await first.close();
  const other = await runningServer(t);
  const log = recordingLog();
  const later = await runningAgent(t, other, { ...first.settings, servers: [other.address], log });
  await until(() => later.agent.status().trouble !== undefined);
  assert.match(later.agent.status().trouble ?? '', /AGT0201.*not the server of the trust domain/);
  const { agents = [] } = await other.admin.unary(agentApi.ListAgents, {});
  assert.deepEqual(agents, []);
});

test('the SHA-256 of the bundle is enough to trust the right server', async (t) => {
  const { server, joinToken } = await serverWith(t, web);
  assert.equal(server.bundleSha256(), sha256Hex(await bundlePemOf(server)));
  const bootstrap = { kind: 'sha256', fingerprint: server.bundleSha256() } as const;
  const { agent } = await runningAgent(t, server, { bootstrap, joinToken });
  await until(() => agent.status().serving);
});

test('insecure bootstrap works, and is loud', async (t) => {
  const { server, joinToken } = await serverWith(t, web);
  const log = recordingLog();
  await runningAgent(t, server, { bootstrap: { kind: 'insecure' }, joinToken, log });
  assert.ok(log.lines.some(({ level, sentence }) => level === 'warn' && sentence.startsWith('INSECURE')));
});

test('a start that is given up while the server is away ends, and leaves no socket', async (t) => {
  const { server, joinToken } = await serverWith(t);
  await server.close();
  const folder = temporaryFolder(t);
  const giveUp = new AbortController();
  const log = recordingLog();
  const start = runAgent({
    trustDomain: shop,
    servers: [server.address],
    dataDir: join(folder, 'data'),
    socket: join(folder, 'agent.sock'),
    adminSocket: join(folder, 'admin.sock'),
    bootstrap: { kind: 'insecure' },
    joinToken,
    syncIntervalMs: 100,
    log,
    signal: giveUp.signal,
  });
  await until(() => log.lines.some(({ sentence }) => sentence.startsWith('no sync')));
  giveUp.abort();
  assert.equal(await start, undefined);
  assert.throws(() => statSync(join(folder, 'admin.sock')), /ENOENT/);
});

test('S26: no key of a workload reaches the data directory or the log', async (t) => {
  const { server, joinToken } = await serverWith(t, web);
  const log = recordingLog();
  const { settings, agent } = await runningAgent(t, server, { joinToken, log });
  const client = followSecrets(t, settings.socket, 'default');
  await until(() => client.resources.has('default'));
  const [svid] = agent.identities.current()?.svids.values() ?? [];
  const kept = readFileSync(join(settings.dataDir, 'agent-state.json'), 'utf8') + JSON.stringify(log.lines);
  assert.ok(!kept.includes(Buffer.from(svid?.privateKey ?? assert.fail()).toString('base64')));
});

const policyText = (allow: string) => `version: 1
trustDomains: { shop: { id: shop.example } }
services:
  web: { identity: shop:/web, protocol: http }
  orders: { identity: shop:/orders, protocol: http }
rules:
  - { name: orders-reads, from: orders, to: web, allow: ${allow} }
`;

/** What a filter says, as text to look for rules in. */
function textOf(policy: PolicyMessage | undefined): string {
  return Buffer.from((policy?.typed_config as { value?: Buffer } | undefined)?.value ?? []).toString(
    'latin1',
  );
}

test('the policy of its own service reaches a workload from a file of the server; every other name is denied', async (t) => {
  const policyDir = temporaryFolder(t);
  writeFileSync(join(policyDir, 'shop.yaml'), policyText('GET /**'));
  const server = await runningServer(t, { policyDir });
  await createEntries(server, web, entryMessage('/orders', '/node/demo', ['unix:uid:4711']));
  const { settings } = await runningAgent(t, server, {
    joinToken: { token: await joinToken(server, demoNode) },
  });
  const names = ['plastron/http', 'plastron/http/web', 'plastron/http/orders', 'plastron/http/none'];
  const proxy = followPolicies(t, settings.socket, ...names);
  await until(() => proxy.resources.size === names.length);
  for (const name of names) assert.equal(proxy.resources.get(name)?.name, name);
  for (const name of names.slice(0, 2)) assert.match(textOf(proxy.resources.get(name)), /orders-reads/);
  for (const name of names.slice(2)) assert.match(textOf(proxy.resources.get(name)), /no-policy/);

  writeFileSync(join(policyDir, 'shop.yaml'), policyText('POST /baskets'));
  await until(() => names.slice(0, 2).every((name) => /baskets/.test(textOf(proxy.resources.get(name)))));
  // A broken file changes nothing.
  const before = proxy.responses;
  writeFileSync(join(policyDir, 'shop.yaml'), 'version: 1\nservices: [');
  const late = followPolicies(t, settings.socket, 'plastron/http');
  await until(() => late.resources.size === 1);
  assert.match(textOf(late.resources.get('plastron/http')), /baskets/);
  assert.equal(proxy.responses, before);
});

test('a new service is served at once: its policy tells the agent that there is a new entry', async (t) => {
  const policyDir = temporaryFolder(t);
  writeFileSync(join(policyDir, 'shop.yaml'), policyText('GET /**'));
  const server = await runningServer(t, { policyDir });
  // Without the hint the next sync would come after the test has timed out.
  const { settings, agent } = await runningAgent(t, server, {
    joinToken: { token: await joinToken(server, demoNode) },
    syncIntervalMs: 3_600_000,
  });
  await until(() => agent.status().serving);
  const client = followSecrets(t, settings.socket, 'default');
  const proxy = followPolicies(t, settings.socket, 'plastron/http');
  await until(() => client.removed.has('default') && proxy.resources.size === 1);
  await createEntries(server, web);
  await until(() => client.resources.has('default'));
  await until(() => /orders-reads/.test(textOf(proxy.resources.get('plastron/http'))));
});
