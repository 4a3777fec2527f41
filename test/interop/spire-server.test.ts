import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../support/children.js';
import { followSecrets } from '../support/running-agent.js';
import { until } from '../support/until.js';
import { workloadClient } from '../support/workload-api.js';
import { agentProcess } from './agent-process.js';
import { buildGoAgent, goMissing } from './go-agent-program.js';
import { spireServerMissing, spireServerProcess } from './spire-server-process.js';
import { untilSuccess } from './until-success.js';

const node = 'spiffe://shop.example/node/one';

test("our agent lives with SPIRE's own server", { skip: spireServerMissing() || goMissing() }, async (t) => {
  const folder = temporaryFolder(t);
  spawnSync(buildGoAgent(folder), ['pki', folder]);
  const server = await spireServerProcess(t, join(folder, 'node-ca.pem'));
  const token = await server.operator('token', 'generate', '-spiffeID', node);
  const joinToken = /^Token: (\S+)$/m.exec(token)?.[1] ?? '';
  const place = { folder, port: server.port, bundle: server.bundle, joinToken };
  const { child: agent, socket } = agentProcess(t, place, ['--sync-interval', '1']);

  const identity = ['-spiffeID', 'spiffe://shop.example/web', '-parentID', node];
  const created = await server.operator(
    'entry',
    'create',
    ...identity,
    '-selector',
    `unix:uid:${process.getuid?.()}`,
  );
  const entry = /^Entry ID\s+: (\S+)$/m.exec(created)?.[1] ?? '';
  const secrets = await untilSuccess(async () => {
    const view = followSecrets(t, socket, 'default', 'ROOTCA');
    await new Promise((resolve) => setTimeout(resolve, 100));
    if (view.ended) throw view.ended;
    return view;
  });
  await t.test('an entry of the server becomes an SVID on an open SDS stream', async () => {
    await until(() => secrets.resources.has('default') && secrets.resources.has('ROOTCA'));
    const chain = secrets.resources.get('default')?.tls_certificate?.certificate_chain?.inline_bytes;
    const svid = new X509Certificate(Buffer.from(chain ?? ''));
    assert.equal(svid.subjectAltName, 'URI:spiffe://shop.example/web');
    assert.ok(svid.checkIssued(new X509Certificate(server.bundle)));
  });
  await t.test('a JWT-SVID of the server is good by the bundle of our Workload API', async () => {
    const client = workloadClient(t, socket);
    const { svids: [jwt = {}] = [] } = await untilSuccess(() => client.fetchJwt(['orders', 'billing']));
    for (const audience of ['orders', 'billing']) {
      const { spiffe_id } = await client.validateJwt(audience, jwt.svid ?? '');
      assert.equal(spiffe_id, 'spiffe://shop.example/web');
    }
  });
  await t.test('an entry that is deleted is taken from it again', async () => {
    await server.operator('entry', 'delete', '-entryID', entry);
    await until(() => secrets.removed.has('default'));
  });
  assert.equal(agent.exitCode, null);
});
