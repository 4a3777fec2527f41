import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { restoreBackup } from '../../src/app/restore.js';
import { systemClock } from '../../src/base/clock.js';
import { backUp } from '../support/backup.js';
import { temporaryFolder } from '../support/children.js';
import { followSecrets, runningAgent } from '../support/running-agent.js';
import {
  agentApi,
  createEntries,
  entryApi,
  entryMessage,
  joinToken,
  type RunningTestServer,
  runningServer,
} from '../support/running-server.js';
import { until } from '../support/until.js';

const selectors = [`unix:uid:${process.geteuid?.()}`];
/** Seconds: the agent renews at half of it, and must find the restored server before the rest is over. */
const agentTtl = 20;
const node = { trust_domain: 'shop.example', path: '/node/demo' };

async function serialOfAgent(server: RunningTestServer): Promise<string | undefined> {
  const { agents = [] } = await server.admin.unary(agentApi.ListAgents, {});
  return agents[0]?.x509svid_serial_number;
}

/** The server is lost with everything that it has, and comes back on its address from a backup. */
async function loseAndRestore(t: TestContext, server: RunningTestServer, path: string, x509SvidTtl = 3600) {
  await server.close();
  rmSync(server.dataDir, { recursive: true });
  await restoreBackup({ path, dataDir: server.dataDir, force: false, clock: systemClock });
  return runningServer(t, { dataDir: server.dataDir, port: server.port, x509SvidTtl });
}

test('an agent that renewed its SVID after the backup, and the stream of a workload, go on with the restored server', async (t) => {
  const lost = await runningServer(t, { x509SvidTtl: agentTtl });
  await createEntries(lost, entryMessage('/web', '/node/demo', selectors, { x509_svid_ttl: 4 }));
  const token = await joinToken(lost, { ttl: 60, agent_id: node });
  const { agent, settings } = await runningAgent(t, lost, { joinToken: { token } });
  const view = followSecrets(t, settings.socket, 'default');
  await until(() => view.responses > 0);
  const path = await backUp(lost, join(temporaryFolder(t), 'backup'));
  const serial = await serialOfAgent(lost);
  await until(async () => (await serialOfAgent(lost)) !== serial);

  const server = await loseAndRestore(t, lost, path, agentTtl);
  const restoredAt = Date.now();
  assert.equal(await serialOfAgent(server), serial);
  const before = view.responses;
  await until(() => (agent.status().lastSync ?? 0) > restoredAt);
  await until(() => view.responses > before + 1);
  assert.equal(view.ended, undefined, 'the stream of the workload broke');
  assert.notEqual(await serialOfAgent(server), serial);

  // What it had from the lost server does not hide what the restored one says.
  const { entries = [] } = await server.admin.unary(entryApi.ListEntries, {});
  const web = entries.find(({ spiffe_id }) => spiffe_id?.path === '/web');
  await server.admin.unary(entryApi.BatchDeleteEntry, { ids: [web?.id ?? ''] });
  await until(() => view.removed.has('default') || view.ended !== undefined);
});

test('an entry that was changed after the backup is taken back by agents that had the change', async (t) => {
  const lost = await runningServer(t);
  const entry = entryMessage('/web', '/node/demo', selectors, { hint: 'default' });
  const [id = ''] = await createEntries(lost, entry);
  const token = await joinToken(lost, { ttl: 60, agent_id: node });
  const { settings } = await runningAgent(t, lost, { joinToken: { token } });
  const web = followSecrets(t, settings.socket, 'spiffe://shop.example/web');
  const other = followSecrets(t, settings.socket, 'spiffe://shop.example/other');
  await until(() => web.resources.size > 0);
  const path = await backUp(lost, join(temporaryFolder(t), 'backup'));
  const spiffe_id = { trust_domain: 'shop.example', path: '/other' };
  await lost.admin.unary(entryApi.BatchUpdateEntry, {
    entries: [{ id, spiffe_id }],
    input_mask: { spiffe_id: true },
  });
  await until(() => other.resources.size > 0 && web.resources.size === 0);
  await loseAndRestore(t, lost, path);
  await until(() => web.resources.size > 0 && other.resources.size === 0);
});
