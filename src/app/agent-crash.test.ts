import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { shop } from '../../test/support/agent.js';
import { temporaryFolder } from '../../test/support/children.js';
import { bundlePemOf } from '../../test/support/running-agent.js';
import {
  agentApi,
  joinToken,
  type RunningTestServer,
  runningServer,
} from '../../test/support/running-server.js';
import { until } from '../../test/support/until.js';
import { type Agent, startAgent } from '../agent/agent.js';
import { joinTokenEvidence } from '../agent/join-token-evidence.js';
import { serverCalls } from '../agent/server-calls.js';
import { openStateStore, type StateStore } from '../agent/state.js';
import { systemClock } from '../base/clock.js';
import { bundleFromPem } from '../spiffe/bundle-pem.js';
import { silentLog } from '../telemetry/log.js';
import { dialTls } from '../transport/dial-tls.js';
import { createAddresses } from '../transport/failover.js';

/** An agent on `state` that would talk to the server for ever, until `stop`. */
async function agentOn(t: TestContext, server: RunningTestServer, state: StateStore, token: string) {
  const bundle = bundleFromPem(shop, await bundlePemOf(server));
  const agent = startAgent({
    trustDomain: shop,
    addresses: createAddresses([server.address], () => {}),
    bootstrap: { kind: 'bundle', bundle },
    connect: (options) => serverCalls(dialTls({ address: server.address, ...options }), silentLog),
    evidence: joinTokenEvidence({ token }),
    state,
    clock: systemClock,
    log: silentLog,
    syncIntervalMs: 50,
  });
  t.after(() => agent.stop());
  return agent;
}

/** A disk that keeps nothing more: as if the agent had been killed just before every write. */
const losing = (store: StateStore): StateStore => ({
  load: store.load,
  save: () => {
    throw new Error('killed before it was written');
  },
});

const isAttested = (agent: Agent) =>
  agent.attested.then(
    () => true,
    () => false,
  );

test('killed between attestation and the write of its identity, an agent attests again with the same token', async (t) => {
  const server = await runningServer(t);
  const token = await joinToken(server);
  const store = openStateStore(temporaryFolder(t), shop);
  const killed = await agentOn(t, server, losing(store), token);
  await until(() => killed.status().trouble !== undefined);
  await killed.stop();
  assert.equal(store.load(), undefined);

  // The server may still be busy with the attempt that was broken off.
  let agent = await agentOn(t, server, store, token);
  while (!(await isAttested(agent))) agent = await agentOn(t, server, store, token);
  const { agents = [] } = await server.admin.unary(agentApi.ListAgents, {});
  assert.equal(agents.length, 1);
});

test('killed between renewal and the write of the new SVID, an agent goes on with the old one', async (t) => {
  const server = await runningServer(t, { x509SvidTtl: 4 });
  const token = await joinToken(server);
  const store = openStateStore(temporaryFolder(t), shop);
  const first = await agentOn(t, server, store, token);
  await until(() => first.status().lastSync !== undefined);
  await first.stop();
  const kept = store.load();

  const killed = await agentOn(t, server, losing(store), token);
  await until(() => /killed before it was written/.test(killed.status().trouble ?? ''));
  await killed.stop();
  assert.deepEqual(store.load(), kept);

  const agent = await agentOn(t, server, store, token);
  await until(() => agent.status().lastSync !== undefined);
  assert.equal(agent.status().id, kept?.svid.id);
  assert.equal(agent.status().trouble, undefined);
});
