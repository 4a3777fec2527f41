import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { recordingLog } from '../../test/support/log.js';
import { followSecrets, runningAgent } from '../../test/support/running-agent.js';
import {
  agentApi,
  createEntries,
  entryApi,
  entryMessage,
  joinToken,
  runningServer,
} from '../../test/support/running-server.js';
import { until } from '../../test/support/until.js';
import type { Agent } from '../agent/agent.js';
import { readPem } from '../base/pem.js';
import { pathOf } from '../spiffe/id.js';
import type { AgentSettings } from './agent.js';

const self = [`unix:uid:${process.geteuid?.()}`];

/** A server with entries of this process, and an agent that has their SVIDs, and that of the node's own alias. */
async function setUp(t: TestContext, settings: Partial<AgentSettings> = { svidCache: true }) {
  const server = await runningServer(t);
  const token = await joinToken(server, {
    ttl: 60,
    agent_id: { trust_domain: 'shop.example', path: '/node' },
  });
  const [web = ''] = await createEntries(
    server,
    entryMessage('/web', '/node', self),
    entryMessage('/orders', '/node', self),
  );
  const first = await runningAgent(t, server, { joinToken: { token }, ...settings });
  await until(() => first.agent.status().svids === 3);
  /** The next life of the agent, on the same data. */
  const again = (more: Partial<AgentSettings> = {}) =>
    runningAgent(t, server, { ...first.settings, joinToken: {}, ...more });
  return { server, first, again, web, dataDir: first.settings.dataDir };
}

const svidsOf = ({ identities }: Agent) => [...(identities.current()?.svids.values() ?? [])];

/** Every private key that the agent holds for workloads, as bytes that would show in a file. */
function keysIn(folder: string, keys: readonly Uint8Array[]): string[] {
  const forms = keys.flatMap((key) => {
    // The secret number itself, whatever is written around it (RFC 5915: at 36 of a PKCS #8 of P-256).
    const secret = Buffer.from(key).subarray(36, 68);
    return [secret.toString('latin1'), Buffer.from(key).toString('base64'), secret.toString('hex')];
  });
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => {
    const path = join(folder, name);
    if (!statSync(path).isFile()) return false;
    const content = readFileSync(path, 'latin1');
    return forms.some((form) => content.includes(form));
  });
}

test('with the cache, an agent that starts while the server is away serves at once what it served before', async (t) => {
  const { server, first, again } = await setUp(t);
  const before = svidsOf(first.agent);
  await first.close();
  await server.close();
  const second = await again();
  assert.deepEqual(second.agent.status().lastSync, undefined);
  assert.deepEqual(
    svidsOf(second.agent).map(({ id, chain }) => [id, chain.map(String)]),
    before.map(({ id, chain }) => [id, chain.map(String)]),
  );
  const { resources } = followSecrets(t, second.settings.socket, 'default', 'ROOTCA');
  await until(() => resources.size === 2);
  const { tls_certificate } = resources.get('default') ?? {};
  const [key] = readPem(String(tls_certificate?.private_key?.inline_bytes));
  assert.ok(before.some(({ privateKey }) => Buffer.from(privateKey).equals(Buffer.from(key?.der ?? []))));
});

test('without the cache the socket is there while the server is away, and workloads wait for it', async (t) => {
  const { server, first, again, dataDir } = await setUp(t, {});
  const keys = svidsOf(first.agent).map(({ privateKey }) => privateKey);
  await first.close();
  await server.close();
  const second = await again();
  const view = followSecrets(t, second.settings.socket, 'default');
  await until(() => second.agent.status().trouble !== undefined);
  assert.deepEqual([view.responses, view.ended], [0, undefined]);
  assert.deepEqual(keysIn(dataDir, keys), []);
});

test('S26: no key of a workload is on the disk, save encrypted in the cache that was asked for', async (t) => {
  const { first, again, dataDir } = await setUp(t);
  const keys = svidsOf(first.agent).map(({ privateKey }) => privateKey);
  assert.equal(keys.length, 3);
  await first.close();
  assert.deepEqual(keysIn(dataDir, keys), []);
  assert.deepEqual(readdirSync(dataDir).sort(), ['agent-state.json', 'svid-cache', 'svid-cache.key']);
  const own = first.agent.svid.current()?.privateKey ?? new Uint8Array();
  assert.deepEqual(keysIn(dataDir, [own]), ['agent-state.json'], 'the search finds what is there');

  // Without the flag what was kept before goes as well.
  const second = await again({ svidCache: false });
  await until(() => second.agent.status().svids === 3);
  assert.deepEqual(readdirSync(dataDir), ['agent-state.json']);
});

test('an entry that was deleted meanwhile is served no more after the first sync', async (t) => {
  const { server, first, again, web } = await setUp(t);
  await first.close();
  await server.admin.unary(entryApi.BatchDeleteEntry, { ids: [web] });
  const second = await again();
  await until(() => second.agent.status().lastSync !== undefined);
  assert.deepEqual(
    svidsOf(second.agent)
      .map(({ id }) => pathOf(id))
      .sort(),
    ['/node', '/orders'],
  );
  await second.close();
  await server.close();
  const third = await again();
  assert.deepEqual(
    svidsOf(third.agent)
      .map(({ id }) => pathOf(id))
      .sort(),
    ['/node', '/orders'],
  );
});

test('a damaged cache is ignored loudly, and written anew after the next sync', async (t) => {
  const { first, again, dataDir } = await setUp(t);
  await first.close();
  const path = join(dataDir, 'svid-cache');
  const whole = readFileSync(path);
  writeFileSync(path, whole.subarray(0, whole.length - 1), { mode: 0o600 });
  const log = recordingLog();
  const second = await again({ log });
  assert.ok(
    log.lines.some(({ level, sentence }) => level === 'error' && /kept SVIDs are not used/.test(sentence)),
  );
  await until(() => second.agent.status().svids === 3);
  await second.close();
  const third = await again();
  assert.ok(svidsOf(third.agent).length === 3);
});

test('S12: a banned agent wipes what it kept, and serves nothing when it starts again', async (t) => {
  const { server, first, again, dataDir } = await setUp(t);
  await until(() => readdirSync(dataDir).includes('svid-cache'));
  const id = first.agent.status().id;
  await server.admin.unary(agentApi.BanAgent, {
    id: { trust_domain: 'shop.example', path: id ? pathOf(id) : '' },
  });
  await until(() => readdirSync(dataDir).join() === 'agent-state.json');
  await first.close();
  await server.close();
  const second = await again();
  assert.equal(second.agent.identities.current(), undefined);
});
