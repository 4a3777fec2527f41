import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import { agentEntry, shop, standingClock, workloadWith } from '../../test/support/agent.js';
import { testCa } from '../../test/support/ca.js';
import { temporaryFolder } from '../../test/support/children.js';
import {
  bundleOf,
  type FakeServer,
  fakeServer,
  grpcError,
  newAuthority,
} from '../../test/support/fake-server.js';
import { recordingLog } from '../../test/support/log.js';
import { until } from '../../test/support/until.js';
import { isFault } from '../base/faults/fault.js';
import { parseTrustDomain } from '../spiffe/id.js';
import { createAddresses } from '../transport/failover.js';
import { type Agent, type AgentOptions, startAgent } from './agent.js';
import { openStateStore, type StateStore } from './state.js';

const hour = 3_600_000;
const web = agentEntry('web');
const webWorkload = workloadWith('unix:path:/opt/web');
const away = grpcError('UNAVAILABLE', 'connection refused');

async function setUp(t: TestContext) {
  const clock = standingClock(1_800_000_000_000);
  const server = await fakeServer(clock);
  server.entries = [web];
  const folder = temporaryFolder(t);
  let token: string | undefined = 'token';
  const log = recordingLog();
  const start = (change: Partial<AgentOptions> = {}): Agent => {
    const agent = startAgent({
      trustDomain: shop,
      addresses: createAddresses(['localhost:8081'], () => {}),
      bootstrap: { kind: 'bundle', bundle: bundleOf(server) },
      connect: server.connect,
      evidence: () =>
        token === undefined
          ? undefined
          : { type: 'join_token', payload: Buffer.from(token), answer: () => assert.fail('challenged') },
      state: watchedState(folder, server),
      clock,
      log,
      random: () => 0.5,
      syncIntervalMs: 24 * hour,
      ...change,
    });
    t.after(() => agent.stop());
    return agent;
  };
  const giveToken = (next: string | undefined) => {
    token = next;
    if (next !== undefined) server.tokens.add(next);
  };
  return { clock, server, folder, log, start, giveToken };
}

/** The agent's state on the disk; the fake server knows when the agent waits for the disk. */
function watchedState(folder: string, server: FakeServer): StateStore {
  const { load, save } = openStateStore(folder, shop);
  return {
    load,
    async save(state) {
      saving.set(server, (saving.get(server) ?? 0) + 1);
      await save(state);
      saving.set(server, (saving.get(server) ?? 0) - 1);
    },
  };
}
const saving = new Map<FakeServer, number>();

/** Asks for a sync and waits until it is over, well or badly: it waits for the fake server and the disk alone. */
async function synced(agent: Agent, server: FakeServer): Promise<void> {
  const before = server.calls.length;
  agent.syncSoon();
  await until(() => server.calls.length > before);
  for (let calls = -1; calls !== server.calls.length; ) {
    calls = server.calls.length;
    await new Promise(setImmediate);
    await until(() => !saving.get(server));
    await new Promise(setImmediate);
  }
}

async function firstSync(agent: Agent): Promise<void> {
  await until(() => agent.status().lastSync !== undefined);
}

const idsFor = (agent: Agent) => {
  const found = agent.identities.identitiesOf(webWorkload);
  return found === 'unknown' ? found : found.svids.map(({ id }) => id);
};

test("a new agent attests, syncs and has an SVID for every entry, in SPIRE's order of calls", async (t) => {
  const { server, start } = await setUp(t);
  const agent = start();
  await agent.attested;
  await firstSync(agent);
  assert.deepEqual(server.calls, [
    'GetBundle',
    'AttestAgent',
    'GetBundle',
    'SyncAuthorizedEntries',
    'BatchNewX509SVID',
  ]);
  assert.deepEqual(idsFor(agent), [web.spiffeId]);
  const { id, entries, svids, serving, trouble } = agent.status();
  assert.equal(id, 'spiffe://shop.example/spire/agent/join_token/token');
  assert.deepEqual(
    { entries, svids, serving, trouble },
    { entries: 1, svids: 1, serving: true, trouble: undefined },
  );
});

test('a restarted agent uses the identity that it kept, and needs no token', async (t) => {
  const { server, start, giveToken } = await setUp(t);
  const first = start();
  await firstSync(first);
  await first.stop();
  giveToken(undefined);
  server.calls = [];
  const second = start();
  assert.equal(idsFor(second), 'unknown');
  await firstSync(second);
  assert.deepEqual(server.calls, ['GetBundle', 'SyncAuthorizedEntries', 'BatchNewX509SVID']);
  assert.deepEqual(idsFor(second), [web.spiffeId]);
});

test('without token or identity, or with a token that the server refuses, the start fails and says what to do', async (t) => {
  const { start, giveToken, server } = await setUp(t);
  giveToken(undefined);
  await assert.rejects(start().attested, (error) => isFault(error, 'AGT0401'));
  giveToken('used');
  server.tokens.clear();
  await assert.rejects(start().attested, (error) => isFault(error, 'AGT0402'));
});

test('a foreign server is refused before the token is shown', async (t) => {
  const { start, server, clock } = await setUp(t);
  const bootstrap = { kind: 'bundle', bundle: bundleOf(server) } as const;
  server.authority = await newAuthority(clock);
  await assert.rejects(start({ bootstrap }).attested, (error) => isFault(error, 'AGT0201'));
  assert.ok(!server.calls.includes('AttestAgent'));
});

test('a server that is away at the start is waited for', async (t) => {
  const { start, server } = await setUp(t);
  server.away = away;
  const agent = start();
  await until(() => agent.status().trouble !== undefined);
  server.away = undefined;
  await firstSync(agent);
  assert.equal(agent.status().trouble, undefined);
});

test('at half of its life the agent renews its own SVID, keeps its ID, and goes on with the new one', async (t) => {
  const { start, server, clock, folder } = await setUp(t);
  const agent = start();
  await firstSync(agent);
  const before = agent.svid.current();
  clock.advance(hour / 2 + 1000);
  await synced(agent, server);
  assert.equal(server.calls.filter((call) => call === 'RenewAgent').length, 1);
  const after = agent.svid.current();
  assert.equal(after?.id, before?.id);
  assert.notDeepEqual(after?.privateKey, before?.privateKey);
  const kept = openStateStore(folder, shop).load();
  assert.deepEqual(Buffer.from(kept?.svid.privateKey ?? []), Buffer.from(after?.privateKey ?? []));
  await synced(agent, server);
  assert.equal(server.calls.filter((call) => call === 'RenewAgent').length, 1);
});

test('a node that can attest again does so at half life, after an eviction and after its SVID expired', async (t) => {
  const { start, server, clock } = await setUp(t);
  server.reattestable = true;
  const agent = start();
  await firstSync(agent);
  const attempts = () => server.calls.filter((call) => call === 'AttestAgent').length;
  const first = agent.svid.current();
  clock.advance(hour / 2 + 1000);
  await synced(agent, server);
  const second = agent.svid.current();
  assert.deepEqual([attempts(), second?.id], [2, first?.id]);
  assert.notDeepEqual(second?.privateKey, first?.privateKey);
  assert.ok(!server.calls.includes('RenewAgent'));

  server.refuses = grpcError('PERMISSION_DENIED', 'who are you?', 'AGENT_NOT_ATTESTED');
  await synced(agent, server);
  server.refuses = undefined;
  agent.syncSoon();
  await until(() => agent.status().serving);
  assert.equal(attempts(), 3);

  server.away = away;
  clock.advance(2 * hour);
  await synced(agent, server);
  assert.equal(agent.status().serving, false);
  server.away = undefined;
  agent.syncSoon();
  await until(() => agent.status().serving);
  assert.equal(attempts(), 4);
});

test('S12: a node that can attest again does not try while it is banned, also after a restart', async (t) => {
  const { start, server } = await setUp(t);
  server.reattestable = true;
  const first = start();
  await firstSync(first);
  server.refuses = grpcError('PERMISSION_DENIED', 'banned', 'AGENT_BANNED');
  for (let tries = 0; tries < 3; tries++) await synced(first, server);
  await first.stop();
  const second = start();
  for (let tries = 0; tries < 3; tries++) await synced(second, server);
  assert.match(second.status().trouble ?? '', /AGT0404/);
  assert.equal(server.calls.filter((call) => call === 'AttestAgent').length, 1);
  // Deleting the agent lifts the ban.
  server.refuses = grpcError('PERMISSION_DENIED', 'who are you?', 'AGENT_NOT_ATTESTED');
  await synced(second, server);
  server.refuses = undefined;
  second.syncSoon();
  await until(() => second.status().serving);
});

test('while attesting again fails, the agent works on with the SVID that it has', async (t) => {
  const { start, server, clock } = await setUp(t);
  server.reattestable = true;
  const agent = start();
  await firstSync(agent);
  clock.advance(hour / 2 + 1000);
  server.tokens.clear();
  const orders = agentEntry('orders');
  server.entries = [orders];
  await synced(agent, server);
  await until(() => /AGT0402/.test(agent.status().trouble ?? ''));
  assert.deepEqual(
    agent.identities.current()?.entries.map(({ id }) => id),
    [orders.id],
  );
  assert.equal(agent.status().serving, true);
});

test('an outage changes nothing until an SVID expires', async (t) => {
  const { start, server, clock } = await setUp(t);
  const agent = start();
  await firstSync(agent);
  server.away = away;
  await synced(agent, server);
  assert.match(agent.status().trouble ?? '', /UNAVAILABLE/);
  assert.deepEqual(idsFor(agent), [web.spiffeId]);
  clock.advance(hour);
  assert.equal(idsFor(agent), 'unknown');
});

test('an entry that comes is served after the next sync, one that goes is not any more', async (t) => {
  const { start, server } = await setUp(t);
  server.entries = [];
  const agent = start();
  await firstSync(agent);
  assert.deepEqual(idsFor(agent), []);
  let heard = 0;
  agent.identities.onChange(() => heard++);
  server.entries = [web];
  await synced(agent, server);
  assert.deepEqual(idsFor(agent), [web.spiffeId]);
  server.entries = [];
  await synced(agent, server);
  assert.deepEqual(idsFor(agent), []);
  assert.equal(heard, 2);
});

test('a removed entry counts even while the server signs nothing', async (t) => {
  const { start, server } = await setUp(t);
  const agent = start();
  await firstSync(agent);
  const orders = agentEntry('orders');
  server.entries = [orders];
  server.signingFails = grpcError('INTERNAL', 'the CA is broken');
  await synced(agent, server);
  assert.deepEqual(idsFor(agent), []);
  assert.match(agent.status().trouble ?? '', /CA is broken/);
});

test('S12: a banned agent hands out nothing new and says so, also when it holds a token', async (t) => {
  const { start, server } = await setUp(t);
  const agent = start();
  await firstSync(agent);
  server.refuses = grpcError('PERMISSION_DENIED', 'banned', 'AGENT_BANNED');
  await synced(agent, server);
  assert.equal(idsFor(agent), 'unknown');
  assert.equal(agent.status().serving, false);
  assert.match(agent.status().trouble ?? '', /AGT0404/);
});

test('a used token in its place does not hide a ban, and an agent that is let in again goes on', async (t) => {
  const { start, server } = await setUp(t);
  const agent = start();
  await firstSync(agent);
  server.refuses = grpcError('PERMISSION_DENIED', 'banned', 'AGENT_BANNED');
  for (let tries = 0; tries < 3; tries++) {
    await synced(agent, server);
    assert.match(agent.status().trouble ?? '', /AGT0404/);
  }
  server.refuses = undefined;
  await synced(agent, server);
  assert.deepEqual(idsFor(agent), [web.spiffeId]);
  const attempts = server.calls.filter((call) => call === 'AttestAgent').length;
  await synced(agent, server);
  assert.equal(server.calls.filter((call) => call === 'AttestAgent').length, attempts);
});

test('S12: an agent that was deleted hands out nothing until it is attested with a new token', async (t) => {
  for (const reason of ['AGENT_NOT_ATTESTED', 'AGENT_NOT_ACTIVE']) {
    const { start, server, giveToken } = await setUp(t);
    const agent = start();
    await firstSync(agent);
    giveToken(undefined);
    server.refuses = grpcError('PERMISSION_DENIED', 'who are you?', reason);
    await synced(agent, server);
    assert.equal(idsFor(agent), 'unknown');
    assert.match(agent.status().trouble ?? '', new RegExp(`AGT0403.*${reason}`));
    server.refuses = undefined;
    giveToken('second');
    agent.syncSoon();
    await until(() => agent.status().serving);
    assert.equal(agent.status().id, 'spiffe://shop.example/spire/agent/join_token/second');
    assert.deepEqual(idsFor(agent), [web.spiffeId]);
  }
});

test("a refusal without SPIRE's details withdraws nothing", async (t) => {
  const { start, server } = await setUp(t);
  const agent = start();
  await firstSync(agent);
  server.refuses = grpcError('PERMISSION_DENIED', 'not now');
  await synced(agent, server);
  assert.deepEqual(idsFor(agent), [web.spiffeId]);
});

test('an agent whose own SVID expired waits for a token, and uses it as soon as it is there', async (t) => {
  const { start, server, clock, giveToken } = await setUp(t);
  const first = start();
  await firstSync(first);
  await first.stop();
  clock.advance(2 * hour);
  giveToken(undefined);
  const agent = start();
  await until(() => agent.status().trouble !== undefined);
  assert.match(agent.status().trouble ?? '', /AGT0405/);
  giveToken('second');
  await synced(agent, server);
  assert.deepEqual(idsFor(agent), [web.spiffeId]);
});

test('a tainted authority makes the agent replace its own SVID and those of the workloads at once', async (t) => {
  const { start, server, clock } = await setUp(t);
  const agent = start();
  await firstSync(agent);
  const [old, next] = [server.authority, await newAuthority(clock)];
  server.others = [{ authority: next, tainted: false }];
  await synced(agent, server);
  const before = agent.identities.current()?.svids.get(web.id);
  server.authority = next;
  server.others = [{ authority: old, tainted: true }];
  await synced(agent, server);
  const after = agent.identities.current()?.svids.get(web.id);
  assert.ok(before && after && after !== before);
  assert.equal(server.calls.filter((call) => call === 'RenewAgent').length, 1);
});

test('federated bundles are fetched for the trust domains of the entries, and a missing one is no error', async (t) => {
  const { start, server } = await setUp(t);
  const partner = testCa('partner.example');
  server.entries = [
    agentEntry('web', { federatesWith: [partner.trustDomain, parseTrustDomain('later.example')] }),
  ];
  server.federated.set(partner.trustDomain, partner.bundle);
  const agent = start();
  await firstSync(agent);
  const found = agent.identities.identitiesOf(webWorkload);
  assert.deepEqual(found !== 'unknown' && found.bundles.slice(1), [partner.bundle]);
});

test('nothing is said twice: a sync that brings nothing new is no change', async (t) => {
  const { start, server } = await setUp(t);
  const agent = start();
  await firstSync(agent);
  agent.identities.onChange(() => assert.fail('a change'));
  await synced(agent, server);
  await synced(agent, server);
});

test('S26: no key of a workload is in the state or in the log', async (t) => {
  const { start, folder, log } = await setUp(t);
  const agent = start();
  await firstSync(agent);
  const { svids } = agent.identities.current() ?? assert.fail();
  const state = readFileSync(join(folder, 'agent-state.json'), 'utf8');
  const kept = state + inspect(log.lines, { depth: null });
  for (const { privateKey } of svids.values()) {
    for (const form of ['base64', 'hex'] as const) {
      assert.ok(!kept.includes(Buffer.from(privateKey).toString(form)));
    }
  }
});
