import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { instantAt } from '../../src/base/instant.js';
import { followAccessLog } from '../../src/demo/access-log.js';
import { connect, readFrom } from '../../src/demo/connection.js';
import { connectionsOpened, isLive, type Service, type ServiceName } from '../../src/demo/services.js';
import type { TlsTarget } from '../support/http-client.js';
import { followSecrets } from '../support/running-agent.js';
import { agentApi, bundleApi, entryApi, entryMessage } from '../support/running-server.js';
import { orUndefined, type Role, startShop } from '../support/running-shop.js';
import { seededRandom } from '../support/seeded-random.js';
import { waitFor } from '../support/shop.js';
import { startTraffic } from '../support/traffic.js';

// What becomes of calls while the server, the agent or both are gone. Everything here is a process of its own: `plastron server
// run`, `plastron agent run`, Envoys with the files of examples/envoy-configs. Calls go on from the first line to the last, and
// not one may be answered otherwise than the policy says, whatever is killed meanwhile.

/** Each revision of the policy allows a path that no other allows, which shows which of them an Envoy has in force. */
let revision = 0;
const policy = (more = '') => `
version: 1
trustDomains: { shop: { id: shop.example } }
callers: { web: shop:/web }
services:
  orders: { identity: shop:/orders, protocol: http }
  probe: { identity: shop:/probe, protocol: http }
rules:
  - { name: reads, from: web, to: orders, allow: GET /v1/orders/* }
  - { name: health, from: 'shop:/**', to: orders, allow: GET /healthz }
  - { name: revision, from: web, to: orders, allow: GET /revision/${revision} }
${more}`;

const shop = await startShop({ after }, policy());
const [web, orders] = [serviceOf('web'), serviceOf('orders')];
const calls = {
  open: [
    { method: 'GET', path: '/v1/orders/7', status: 200 },
    { method: 'DELETE', path: '/v1/orders/7', status: 403 },
  ],
  fresh: [
    { method: 'GET', path: '/healthz', status: 200 },
    { method: 'GET', path: '/v1/orders/7', status: 403 },
  ],
};
const client = await connect(web.outboundSocket);
after(() => client.close());
// An Envoy that is live has its SVID; its policy may still be on the way.
await waitFor(async () => (await statusOf(0)) === 200, 'the first policy in Envoy');
const traffic = await startTraffic(web.outboundSocket, await probe(), calls);
after(() => traffic.stop());
const opened = await connectionsOpened(web, 'orders');

test('the server is killed: calls and denials go on, and a rule that ends meanwhile is denied by Envoy', async () => {
  const refund = { to: 'orders', method: 'POST', path: '/v1/refunds' };
  const end = await killedWithRefundsAllowed(refund);
  const log = followAccessLog(orders.accessLog);
  log.skip();
  await traffic.anotherRound();
  await waitFor(async () => (await client.send(refund)) === 403, 'the end of the rule');
  assert.ok(Date.now() >= end);
  const denial = await log.next(({ method, code }) => method === 'POST' && code === 403);
  assert.equal(denial?.rule, 'default-deny');
  await traffic.anotherRound();
  await assertUndisturbed();
  shop.start('server');
  await saveAndWait();
});

test('the agent is killed: calls go on; started again it is who it was, needs no token, and policies arrive', async () => {
  const { svid_chain: before } = await shop.agentInfo();
  await shop.kill('agent');
  shop.removeToken();
  await traffic.anotherRound();
  shop.start('agent');
  await saveAndWait();
  assert.deepEqual((await shop.agentInfo()).svid_chain, before);
  await assertUndisturbed();
});

test('the agent is started again while the server is down: Envoys keep what they have, a new one waits', async () => {
  await Promise.all([shop.kill('server'), shop.kill('agent')]);
  shop.start('agent');
  await shop.agentInfo();
  const intruder = shop.startCaller('intruder');
  await waitFor(() => orUndefined(isConnectedToAgent(intruder)), 'the new Envoy to find the agent');
  await traffic.anotherRound();
  assert.equal(await isLive(intruder), false);
  await assertUndisturbed();

  shop.start('server');
  await waitFor(() => isLive(intruder), 'the SVID of the new Envoy');
  const stranger = await connect(intruder.outboundSocket);
  const answers = [];
  for (const path of ['/healthz', '/v1/orders/7']) {
    answers.push(await stranger.send({ to: 'orders', method: 'GET', path }));
  }
  stranger.close();
  assert.deepEqual(answers, [200, 403]);
  await saveAndWait();
  await assertUndisturbed();
});

test('a broken policy file is refused, and also after restarts the last good policy stays in force', async () => {
  const inForce = revision;
  shop.save('version: 1\nservices: [');
  await waitFor(() => /policy refused, the last good one stays/.test(shop.log('server')), 'the refusal');
  for (const role of [undefined, 'server', 'agent'] as const) {
    if (role) {
      await shop.kill(role);
      shop.start(role);
      await shop.connected();
    }
    await traffic.anotherRound();
    assert.deepEqual([await statusOf(inForce), await statusOf(inForce + 1)], [200, 403]);
    await assertUndisturbed();
  }
  assert.match(shop.log('server'), /policy refused, there is none in force/);
  await saveAndWait();
  await assertUndisturbed();
});

test('kill -9 of server and agent at random moments: nothing that was acknowledged is lost, and all heals by itself', async (t) => {
  const seed = process.env.FAULT_SEED ?? String(Date.now());
  t.diagnostic(`seed ${seed}`);
  const random = seededRandom(seed);
  const before = await waitFor(() => orUndefined(facts()), 'the server');
  const writing = startWriting();
  for (let round = 0; round < 3; round++) {
    await sleep(random() * 400);
    const roles = ([['server'], ['agent'], ['server', 'agent']] as Role[][])[Math.floor(random() * 3)] ?? [];
    await Promise.all(roles.map((role) => sleep(random() * 50).then(() => shop.kill(role))));
    await sleep(random() * 200);
    for (const role of roles) shop.start(role);
    await shop.connected();
  }
  const acknowledged = await writing.stop();
  await saveAndWait();
  const { entries, ...others } = await waitFor(() => orUndefined(facts()), 'the server');
  assert.deepEqual(others, { agents: before.agents, bundle: before.bundle, agent: before.agent });
  assert.ok(acknowledged.length > 0);
  assert.deepEqual(
    [...before.entries, ...acknowledged].filter((path) => !entries.includes(path)),
    [],
  );
  await assertUndisturbed();
});

function serviceOf(name: ServiceName): Service {
  return shop.services.get(name) ?? assert.fail(name);
}

/** This process as a workload with an identity of its own, ready to call `orders` without an Envoy beside it. */
async function probe(): Promise<TlsTarget> {
  const selectors = [`unix:uid:${process.geteuid?.()}`, `unix:path:${process.execPath}`];
  const entries = [entryMessage('/probe', '/node/demo', selectors, { x509_svid_ttl: 300 })];
  await shop.admin.unary(entryApi.BatchCreateEntry, { entries });
  const { resources } = followSecrets({ after }, shop.agentSocket, 'default');
  const { tls_certificate } = await waitFor(() => resources.get('default'), 'the SVID of this process');
  const pem = (file: { inline_bytes?: Buffer } | null | undefined) => String(file?.inline_bytes);
  return {
    port: shop.port('orders'),
    identity: { cert: pem(tls_certificate?.certificate_chain), key: pem(tls_certificate?.private_key) },
  };
}

/** The server is dead, and refunds are still allowed: gives the instant at which that ends. */
async function killedWithRefundsAllowed(refund: Parameters<typeof client.send>[0]): Promise<number> {
  for (let seconds = 3; ; seconds *= 2) {
    const end = instantAt(Date.now() + seconds * 1000);
    const rule = `{ name: refunds, from: web, to: orders, allow: POST /v1/refunds, until: '${end.text}', reason: r }`;
    await saveAndWait(`  - ${rule}`);
    await shop.kill('server');
    if ((await client.send(refund)) === 200) return end.ms;
    // This machine was too busy to get here in time.
    shop.start('server');
  }
}

/** Saves the next revision and waits until the Envoy of `orders` has it in force. */
async function saveAndWait(more = ''): Promise<void> {
  revision++;
  shop.save(policy(more));
  await waitFor(async () => (await statusOf(revision)) === 200, `revision ${revision} in Envoy`);
  assert.equal(await statusOf(revision - 1), 403);
}

function statusOf(asked: number): Promise<number> {
  return client.send({ to: 'orders', method: 'GET', path: `/revision/${asked}` });
}

/** No call was answered otherwise than it should be, and no connection was cut: not the callers', not that of the Envoys. */
async function assertUndisturbed(): Promise<void> {
  assert.deepEqual(traffic.surprises, []);
  assert.ok(client.isOpen());
  assert.equal(await connectionsOpened(web, 'orders'), opened);
}

/** Whether an Envoy has asked the agent for something; it would be live if it had got it. */
async function isConnectedToAgent({ adminSocket }: Service): Promise<boolean> {
  const stats = await readFrom(adminSocket, '/stats?filter=^cluster.agent.upstream_rq_active$');
  return /: [1-9]/.test(stats);
}

/** What must be the same after all kills. */
async function facts() {
  const { entries = [] } = await shop.admin.unary(entryApi.ListEntries, {});
  const { agents = [] } = await shop.admin.unary(agentApi.ListAgents, {});
  const { x509_authorities = [] } = await shop.admin.unary(bundleApi.GetBundle, {});
  const { svid_chain = [] } = await shop.agentInfo();
  return {
    entries: entries.map(({ spiffe_id }) => spiffe_id?.path ?? ''),
    agents: agents.map(({ id }) => id?.path),
    bundle: x509_authorities.map(({ asn1 }) => asn1?.toString('base64')),
    agent: svid_chain[0]?.id?.path,
  };
}

/** Creates entries and saves policies without a pause. `stop` gives the entries that the server said it has. */
function startWriting(): { stop(): Promise<string[]> } {
  const acknowledged: string[] = [];
  let running = true;
  const creating = async () => {
    for (let n = 0; running; n++, await sleep(10)) {
      // Of a node that is not there: its agent would only be busy with them.
      const entries = [entryMessage(`/written/${n}`, '/node/other', ['unix:uid:1'])];
      const answer = await orUndefined(shop.admin.unary(entryApi.BatchCreateEntry, { entries }));
      if (answer?.results?.[0]?.entry) acknowledged.push(`/written/${n}`);
    }
  };
  const saving = async () => {
    for (; running; await sleep(50)) {
      revision++;
      shop.save(policy());
    }
  };
  const loops = [creating(), saving()];
  return {
    stop: async () => {
      running = false;
      await Promise.all(loops);
      return acknowledged;
    },
  };
}
