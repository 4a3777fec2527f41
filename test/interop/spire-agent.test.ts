import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from '../support/children.js';
import { buildGoAgent, goMissing } from './go-agent-program.js';
import { serverProcess } from './server-process.js';
import { type SpireAgent, spireAgent, spireAgentMissing } from './spire-agent-process.js';
import { untilSuccess } from './until-success.js';

const node = 'spiffe://shop.example/node/one';

test("SPIRE's own agent joins by token and lives with our server", {
  skip: spireAgentMissing(),
}, async (t) => {
  // The shortest that SPIRE's agents, which look every five seconds, can renew in time.
  const server = await serverProcess(t, ['--x509-svid-ttl', '16']);
  await makeWorkload(server.operator);
  const joinToken = await server.operator('node', 'token', '--spiffe-id', node);
  const nodeAttestor = 'NodeAttestor "join_token" { plugin_data {} }';
  const agent = spireAgent(t, { port: server.port, bundle: server.bundle, nodeAttestor, joinToken });

  const first = await untilSuccess(() => fetchedSvid(agent));
  await t.test('a workload gets its X.509-SVID', () => {
    assert.equal(first.subjectAltName, 'URI:spiffe://shop.example/web');
  });
  await t.test('a workload gets a JWT-SVID, which SPIRE finds valid for its audience only', async () => {
    const token = /^\t(\S+)$/m.exec(await agent.api('fetch', 'jwt', '-audience', 'orders'))?.[1] ?? '';
    await agent.api('validate', 'jwt', '-audience', 'orders', '-svid', token);
    await assert.rejects(agent.api('validate', 'jwt', '-audience', 'web', '-svid', token));
  });
  await t.test('workload and agent renew their SVIDs', async () => {
    await new Promise((resolve) => setTimeout(resolve, 20_000));
    const later = await fetchedSvid(agent);
    assert.notEqual(later.serialNumber, first.serialNumber);
    assert.match(agent.log(), /Successfully rotated agent SVID/);
  });
  await t.test('an agent that is banned shuts down', async () => {
    const ended = once(agent.child, 'exit');
    await server.operator('node', 'ban', agentIdOf(joinToken), '--yes');
    await ended;
    assert.match(agent.log(), /[Aa]gent is banned/);
  });
});

test("SPIRE's own agent joins by certificate (x509pop), and attests again after it was evicted", {
  skip: spireAgentMissing() || goMissing(),
}, async (t) => {
  const { ca, certificate, key, id } = nodeCertificate(t);
  const server = await serverProcess(t, ['--x509pop-ca', ca]);
  await makeWorkload(server.operator, id);
  const nodeAttestor = `NodeAttestor "x509pop" { plugin_data {
    private_key_path = "${key}"
    certificate_path = "${certificate}"
  } }`;
  const agent = spireAgent(t, { port: server.port, bundle: server.bundle, nodeAttestor });
  const svid = await untilSuccess(() => fetchedSvid(agent));
  assert.equal(svid.subjectAltName, 'URI:spiffe://shop.example/web');
  await server.operator('node', 'evict', id, '--yes');
  await untilSuccess(async () => assert.match(agent.log(), /Successfully reattested node/));
  assert.equal((await fetchedSvid(agent)).subjectAltName, 'URI:spiffe://shop.example/web');
});

type Operator = (...command: string[]) => Promise<string>;

/** This very user is the workload. */
async function makeWorkload(operator: Operator, parent = node): Promise<void> {
  const what = ['--spiffe-id', 'spiffe://shop.example/web', '--parent-id', parent];
  await operator('entry', 'create', ...what, '--selector', `unix:uid:${process.getuid?.()}`);
}

const agentIdOf = (joinToken: string) => `spiffe://shop.example/spire/agent/join_token/${joinToken}`;

async function fetchedSvid(agent: SpireAgent): Promise<X509Certificate> {
  await agent.api('fetch', 'x509', '-write', agent.folder);
  return new X509Certificate(readFileSync(join(agent.folder, 'svid.0.pem')));
}

/** A node's certificate and key, each in a file, and the ID that its agent will have. */
function nodeCertificate(t: TestContext) {
  const folder = temporaryFolder(t);
  const { status, stderr } = spawnSync(buildGoAgent(folder), ['pki', folder], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const [certificatePem = '', keyPem = ''] =
    readFileSync(join(folder, 'ecdsa-node.pem'), 'utf8').match(/-----BEGIN[\s\S]+?-----END.+\n/g) ?? [];
  const [certificate, key] = [join(folder, 'node.crt'), join(folder, 'node.key')];
  writeFileSync(certificate, certificatePem);
  writeFileSync(key, keyPem, { mode: 0o600 });
  const sha1 = new X509Certificate(certificatePem).fingerprint.replaceAll(':', '').toLowerCase();
  const id = `spiffe://shop.example/spire/agent/x509pop/${sha1}`;
  return { ca: join(folder, 'node-ca.pem'), certificate, key, id };
}
