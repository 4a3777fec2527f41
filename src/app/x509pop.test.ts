import assert from 'node:assert/strict';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { testCa } from '../../test/support/ca.js';
import { temporaryFolder } from '../../test/support/children.js';
import { runningAgent } from '../../test/support/running-agent.js';
import { agentApi, createEntries, entryMessage, runningServer } from '../../test/support/running-server.js';
import { until } from '../../test/support/until.js';
import { isFault } from '../base/faults/fault.js';
import { parseSpiffeId, pathOf } from '../spiffe/id.js';

const nodes = testCa('nodes.example');
const pem = { path: 'nodes.pem', text: nodes.certificate.pem };

/** A server for nodes with certificates, an entry for one of them, and the files of that node. */
async function setUp(t: TestContext, x509SvidTtl = 3600) {
  const server = await runningServer(t, { attestors: { x509PopCa: pem }, x509SvidTtl });
  await createEntries(
    server,
    entryMessage('/node/one', '/spire/server', ['x509pop:subject:cn:node-1']),
    entryMessage('/web', '/node/one', ['unix:uid:4711']),
  );
  const folder = temporaryFolder(t);
  const x509Pop = { certFile: join(folder, 'node.pem'), keyFile: join(folder, 'node.key') };
  const certificate = nodes.intermediate().svid('node', { uris: [], commonName: 'node-1' });
  writeFileSync(x509Pop.certFile, certificate.chainPem);
  writeFileSync(x509Pop.keyFile, certificate.keyPem);
  return { server, x509Pop };
}

test('a node with a certificate attests, has the entries of its selectors, and again and again as the same agent', async (t) => {
  const { server, x509Pop } = await setUp(t, 2);
  const { agent } = await runningAgent(t, server, { x509Pop });
  await until(() => agent.status().svids === 1);
  const first = agent.svid.current();
  assert.match(first?.id ?? '', /^spiffe:\/\/shop\.example\/spire\/agent\/x509pop\/[0-9a-f]{40}$/);
  await until(() => agent.svid.current() !== first);
  assert.equal(agent.svid.current()?.id, first?.id);
  await until(() => agent.status().svids === 1 && agent.status().serving);
  const { agents = [] } = await server.admin.unary(agentApi.ListAgents, {});
  assert.deepEqual(
    agents.map(({ attestation_type, can_reattest }) => [attestation_type, can_reattest]),
    [['x509pop', true]],
  );
});

test('S12: an evicted node attests again by itself; a banned one never', async (t) => {
  const { server, x509Pop } = await setUp(t);
  const { agent } = await runningAgent(t, server, { x509Pop });
  await until(() => agent.status().svids === 1);
  const before = agent.svid.current();
  const id = { trust_domain: 'shop.example', path: pathOf(parseSpiffeId(before?.id ?? '')) };
  await server.admin.unary(agentApi.DeleteAgent, { id });
  await until(() => agent.svid.current() !== before && agent.status().svids === 1);

  const last = agent.svid.current();
  await server.admin.unary(agentApi.BanAgent, { id });
  await until(() => /AGT0404/.test(agent.status().trouble ?? ''));
  // Not with a fresh data directory either.
  await assert.rejects(runningAgent(t, server, { x509Pop }), (error) => isFault(error, 'AGT0404'));
  assert.equal(agent.svid.current(), last);
  const { agents = [] } = await server.admin.unary(agentApi.ListAgents, {
    filter: { by_banned: { value: true } },
  });
  assert.equal(agents.length, 1);
});

test('a certificate that its authority does not vouch for gets no agent, and files that do not fit are named', async (t) => {
  const { server, x509Pop } = await setUp(t);
  await assert.rejects(runningAgent(t, server, { x509Pop, joinToken: { token: 'x' } }), (error) =>
    isFault(error, 'AGT0407'),
  );
  copyFileSync(x509Pop.certFile, `${x509Pop.keyFile}.pem`);
  await assert.rejects(
    runningAgent(t, server, { x509Pop: { ...x509Pop, keyFile: `${x509Pop.keyFile}.pem` } }),
    (error) => isFault(error, 'ATT0304'),
  );
  const foreign = testCa('nodes.example').svid('node', { uris: [] });
  writeFileSync(x509Pop.certFile, foreign.chainPem);
  writeFileSync(x509Pop.keyFile, foreign.keyPem);
  await assert.rejects(
    runningAgent(t, server, { x509Pop }),
    (error) => isFault(error, 'AGT0402') && /ATT0302.*no configured authority/.test(String(error)),
  );
  const { agents = [] } = await server.admin.unary(agentApi.ListAgents, {});
  assert.deepEqual(agents, []);
});
