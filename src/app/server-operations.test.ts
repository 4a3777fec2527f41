import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordingLog } from '../../test/support/log.js';
import {
  attestedAgent,
  createEntries,
  endOf,
  entryMessage,
  runningServer,
} from '../../test/support/running-server.js';
import { access } from '../server/access.js';
import { serviceDefinition } from '../wire/services.js';

const health = serviceDefinition('grpc.health.v1.Health');
const logger = serviceDefinition('spire.api.server.logger.v1.Logger');
const debug = serviceDefinition('spire.api.server.debug.v1.Debug');

test('the health of the server is that of each of its services; what it does not have is not found', async (t) => {
  const { admin } = await runningServer(t);
  for (const service of ['', 'spire.api.server.entry.v1.Entry']) {
    assert.equal((await admin.unary(health.Check, { service })).status, 'SERVING', service);
  }
  for (const service of ['nothing', '__proto__', 'constructor']) {
    assert.equal((await endOf(admin.unary(health.Check, { service }))).status, 'NOT_FOUND', service);
  }
  const { statuses = {} } = await admin.unary(health.List, {});
  assert.equal(Object.keys(statuses).length, Object.keys(access).length + 1);
});

test('who watches the health is told it at once, and that a service is unknown', async (t) => {
  const { admin } = await runningServer(t);
  for (const [service, expected] of [
    ['', 'SERVING'],
    ['nothing', 'SERVICE_UNKNOWN'],
  ] as const) {
    const stream = admin.stream(health.Watch);
    stream.send({ service });
    for await (const { status } of stream.responses) {
      assert.equal(status, expected);
      break;
    }
  }
});

test('the log level is shown, changed for lines that follow, and set back', async (t) => {
  const log = recordingLog();
  log.threshold.level = 'info';
  const { admin } = await runningServer(t, { log });
  const level = async (call: Promise<{ current_level?: unknown; launch_level?: unknown }>) => {
    const { current_level, launch_level } = await call;
    assert.equal(launch_level, 'INFO');
    return current_level;
  };
  assert.equal(await level(admin.unary(logger.GetLogger, {})), 'INFO');
  assert.equal(await level(admin.unary(logger.SetLogLevel, { new_level: 'TRACE' })), 'DEBUG');
  assert.equal(log.threshold.level, 'debug');
  assert.equal(await level(admin.unary(logger.SetLogLevel, { new_level: 'PANIC' })), 'ERROR');
  assert.equal((await endOf(admin.unary(logger.SetLogLevel, {}))).status, 'INVALID_ARGUMENT');
  assert.equal(await level(admin.unary(logger.ResetLogLevel, {})), 'INFO');
  assert.equal(log.lines.filter(({ sentence }) => sentence === 'the log level is changed').length, 3);
});

test('the server says how much it has and shows its own chain down to the root', async (t) => {
  const server = await runningServer(t);
  await attestedAgent(t, server);
  await createEntries(server, entryMessage('/web', '/node/demo', ['unix:uid:1']));
  const info = await server.admin.unary(debug.GetInfo, {});
  assert.deepEqual([info.agents_count, info.entries_count, info.federated_bundles_count ?? 0], [1, 1, 0]);
  assert.deepEqual(
    info.svid_chain?.map(({ id }) => id?.path ?? ''),
    ['/spire/server', ''],
  );
  assert.match(info.svid_chain?.[1]?.subject ?? '', /,O=SPIFFE,C=US$/);
  assert.ok(Number(info.svid_chain?.[0]?.expires_at) > Date.now() / 1000);
});
