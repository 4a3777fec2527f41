import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { testCa } from '../../test/support/ca.js';
import { temporaryFolder } from '../../test/support/children.js';
import { runningAgent } from '../../test/support/running-agent.js';
import {
  agentApi,
  attestedAgent,
  dial,
  endOf,
  newKey,
  runningServer,
} from '../../test/support/running-server.js';
import { until } from '../../test/support/until.js';
import { makeCsr } from '../ca/csr.js';
import { pathOf } from '../spiffe/id.js';

const shop = 'shop.example';

test('agents are listed page by page, counted, and shown as far as a mask says', async (t) => {
  const server = await runningServer(t);
  const agents = await Promise.all([1, 2, 3].map(() => attestedAgent(t, server)));
  const paths = agents.map(({ svid }) => pathOf(svid.id)).sort();
  const list = (request: object) => server.admin.unary(agentApi.ListAgents, request);
  const first = await list({ page_size: 2, output_mask: {} });
  const rest = await list({ page_size: 2, output_mask: {}, page_token: first.next_page_token ?? '' });
  assert.deepEqual(
    [...(first.agents ?? []), ...(rest.agents ?? [])],
    paths.map((path) => ({ id: { trust_domain: shop, path } })),
  );
  assert.equal(rest.next_page_token ?? '', '');
  assert.equal((await endOf(list({ page_token: 'x' }))).status, 'INVALID_ARGUMENT');
  assert.equal((await server.admin.unary(agentApi.CountAgents, {})).count, 3);

  await agents[0]?.connection.unary(agentApi.PostStatus, { agent_version: '1.2.3' });
  const id = { trust_domain: shop, path: pathOf(agents[0]?.svid.id ?? assert.fail()) };
  const whole = await server.admin.unary(agentApi.GetAgent, { id });
  assert.equal(whole.agent_version, '1.2.3');
  assert.ok(Number(whole.x509svid_expires_at) > Date.now() / 1000);
  for (const [field, value] of Object.entries(whole)) {
    if (field === 'id') continue;
    const masked = await server.admin.unary(agentApi.GetAgent, { id, output_mask: { [field]: true } });
    assert.deepEqual(masked, { id, [field]: value }, field);
  }
});

test('agents are filtered, listed and counted alike; a filter that cannot be used is refused', async (t) => {
  const server = await runningServer(t);
  const { svid } = await attestedAgent(t, server);
  await attestedAgent(t, server);
  await server.admin.unary(agentApi.BanAgent, { id: { trust_domain: shop, path: pathOf(svid.id) } });
  const found = async (filter: object) => {
    const { agents = [] } = await server.admin.unary(agentApi.ListAgents, { filter });
    const { count = 0 } = await server.admin.unary(agentApi.CountAgents, { filter });
    assert.equal(count, agents.length);
    return count;
  };
  assert.equal(await found({ by_banned: { value: true } }), 1);
  assert.equal(await found({ by_banned: {} }), 1);
  assert.equal(await found({ by_attestation_type: 'join_token' }), 2);
  assert.equal(await found({ by_attestation_type: 'x509pop', by_banned: { value: true } }), 0);
  assert.equal(await found({ by_can_reattest: { value: true } }), 0);
  assert.equal(await found({ by_expires_before: '2020-01-01 00:00:00 +0000 UTC' }), 0);
  assert.equal(await found({ by_expires_before: '2120-01-01 00:00:00 +0000 UTC' }), 2);
  const bad = [
    { by_expires_before: 'soon' },
    { by_selector_match: {} },
    { by_selector_match: { selectors: [{ type: 'a' }] } },
  ];
  for (const filter of bad) {
    const { status } = await endOf(server.admin.unary(agentApi.ListAgents, { filter }));
    assert.equal(status, 'INVALID_ARGUMENT', JSON.stringify(filter));
  }
});

test('what is not the ID of an agent of this trust domain is refused, an agent that there is not is not found', async (t) => {
  const { admin } = await runningServer(t);
  const methods = [agentApi.GetAgent, agentApi.DeleteAgent, agentApi.BanAgent];
  const bad = [
    undefined,
    { trust_domain: shop, path: '/web' },
    { trust_domain: shop, path: '/spire/server' },
    { trust_domain: shop, path: '/spire/agent/../agent/x/y' },
    { trust_domain: 'other.example', path: '/spire/agent/x/y' },
  ];
  for (const method of methods) {
    for (const id of bad) {
      const { status } = await endOf(admin.unary(method, id ? { id } : {}));
      assert.equal(status, 'INVALID_ARGUMENT', `${method.path} ${JSON.stringify(id)}`);
    }
    const unknown = { id: { trust_domain: shop, path: '/spire/agent/join_token/__proto__' } };
    assert.equal((await endOf(admin.unary(method, unknown))).status, 'NOT_FOUND', method.path);
  }
});

test('an agent whose node can attest again is told to, instead of being renewed', async (t) => {
  const nodes = testCa('nodes.example');
  const pem = { path: 'nodes.pem', text: nodes.certificate.pem };
  const server = await runningServer(t, { attestors: { x509PopCa: pem } });
  const folder = temporaryFolder(t);
  const x509Pop = { certFile: join(folder, 'node.pem'), keyFile: join(folder, 'node.key') };
  const certificate = nodes.svid('node', { uris: [], commonName: 'node-1' });
  writeFileSync(x509Pop.certFile, certificate.chainPem);
  writeFileSync(x509Pop.keyFile, certificate.keyPem);
  const { agent } = await runningAgent(t, server, { x509Pop });
  await until(() => agent.svid.current() !== undefined);
  const connection = dial(t, server, agent.svid.current());
  const renewal = connection.unary(agentApi.RenewAgent, { params: { csr: makeCsr(newKey()) } });
  const { status, reason } = await endOf(renewal);
  assert.deepEqual([status, reason], ['PERMISSION_DENIED', 'AGENT_MUST_REATTEST']);
});
