import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { temporaryFolder } from '../../test/support/children.js';
import { recordingLog } from '../../test/support/log.js';
import { muteAddress } from '../../test/support/mute-address.js';
import { freePort } from '../../test/support/plastron.js';
import { postgresMissing, startPostgres } from '../../test/support/postgres.js';
import { followSecrets, runningAgent } from '../../test/support/running-agent.js';
import { createEntries, entryMessage, joinToken, runningServer } from '../../test/support/running-server.js';
import { until } from '../../test/support/until.js';

const missing = postgresMissing();
const postgres = missing ? undefined : await startPostgres({ after });
const self = [`unix:uid:${process.geteuid?.()}`];

test('with two servers on one database, the agent goes on with the other when its server ends: calls and pushes', {
  skip: missing,
}, async (t) => {
  const url = (await postgres?.newDatabase()) ?? assert.fail();
  const one = await runningServer(t, { database: { url } });
  // Both have the same authorities, as from the same backup.
  const dataDir = temporaryFolder(t);
  copyFileSync(join(one.dataDir, 'authorities.pem'), join(dataDir, 'authorities.pem'));
  const other = await runningServer(t, { database: { url }, dataDir });
  const token = await joinToken(one, { ttl: 60, agent_id: { trust_domain: 'shop.example', path: '/node' } });
  const log = recordingLog();
  const { agent, settings } = await runningAgent(t, one, {
    servers: [one.address, other.address],
    random: () => 0,
    joinToken: { token },
    log,
  });
  const { resources } = followSecrets(t, settings.socket, 'default');
  await createEntries(one, entryMessage('/web', '/node', self));
  await until(() => resources.has('default'));

  await one.close();
  // That of the node is the third.
  await createEntries(other, entryMessage('/orders', '/node', self));
  await until(() => agent.status().svids === 3);
  assert.equal(agent.status().servers.find(({ address }) => address === other.address)?.trouble, undefined);
});

test('an address that nobody listens at and one that only accepts are passed over, and each is told', async (t) => {
  const server = await runningServer(t);
  const [dead, mute] = [`127.0.0.1:${await freePort()}`, await muteAddress(t)];
  const token = await joinToken(server, { ttl: 60 });
  const log = recordingLog();
  const { agent } = await runningAgent(t, server, {
    servers: [dead, mute, server.address],
    connectTimeoutMs: 100,
    random: () => 0,
    joinToken: { token },
    log,
  });
  await until(() => agent.status().lastSync !== undefined);
  const troubles = agent.status().servers.map(({ trouble }) => trouble ?? 'none');
  assert.match(troubles[0] ?? '', /ECONNREFUSED/);
  assert.match(troubles[1] ?? '', /no connection in time/);
  assert.equal(troubles[2], 'none');
  const told = log.lines.filter(({ sentence }) => sentence.startsWith('a server does not answer'));
  assert.deepEqual(
    told.map(({ fields }) => [fields.address, fields.next]),
    [
      [dead, mute],
      [mute, server.address],
    ],
  );
});

test('a foreign server among the addresses is passed over, and never sees the token', async (t) => {
  const server = await runningServer(t);
  const foreign = await runningServer(t);
  const token = await joinToken(server, { ttl: 60 });
  const { agent } = await runningAgent(t, server, {
    servers: [foreign.address, server.address],
    random: () => 0,
    joinToken: { token },
  });
  await until(() => agent.status().lastSync !== undefined);
  assert.match(agent.status().servers[0]?.trouble ?? '', /is refused/);
});
