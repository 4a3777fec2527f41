import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../test/support/children.js';
import { recordingLog } from '../../test/support/log.js';
import { fault } from '../base/faults/fault.js';
import { serviceDefinition } from '../wire/services.js';
import { dialUnix } from './dial-unix.js';
import { remoteStatus } from './grpc-client.js';
import type { Peer } from './peer.js';
import { service } from './service.js';
import { serveUnix } from './unix-server.js';

const health = serviceDefinition('grpc.health.v1.Health');

test('a caller on the unix socket is known by its pid and uid, and gets the answer', async (t) => {
  const path = join(temporaryFolder(t), 's');
  const peers: Peer[] = [];
  const server = await serveUnix({
    path,
    mode: 0o600,
    services: [
      service('grpc.health.v1.Health', {
        Check: {
          unary: async ({ service: name }, { peer }) => {
            peers.push(peer);
            if (name === 'missing') throw fault('IDN0104', { bytes: 300 });
            if (name === 'bug') throw new Error('a secret detail');
            return { status: 'SERVING' as const };
          },
        },
      }),
    ],
  });
  t.after(() => server.close());
  const connection = dialUnix(path);
  t.after(() => connection.close());
  assert.equal((await connection.unary(health.Check, { service: 'x' })).status, 'SERVING');
  const [peer] = peers;
  assert.ok(peer?.kind === 'unix');
  assert.deepEqual([peer.pid, peer.uid, peer.isAlive()], [process.pid, process.getuid?.(), true]);
  await assert.rejects(connection.unary(health.Check, { service: 'missing' }), (error: Error) => {
    assert.equal(remoteStatus(error), 'INVALID_ARGUMENT');
    assert.match(error.message, /IDN0104: the trust domain is 300 bytes long, more than 255 \(use a shorter/);
    return true;
  });
  await assert.rejects(connection.unary(health.Check, { service: 'bug' }), (error: Error) => {
    assert.equal(remoteStatus(error), 'INTERNAL');
    assert.doesNotMatch(error.message, /secret/);
    return true;
  });
  await assert.rejects(connection.unary(health.List, {}), (e) => remoteStatus(e) === 'UNIMPLEMENTED');
});

test('S30: the processes of one user have so many connections and no more, and may connect again', async (t) => {
  const path = join(temporaryFolder(t), 's');
  const log = recordingLog();
  const server = await serveUnix({ path, mode: 0o600, services: [], log, maxConnectionsPerUser: 2 });
  t.after(() => server.close());
  const call = async () => {
    const connection = dialUnix(path);
    t.after(() => connection.close());
    const error = await connection.unary(health.Check, {}).catch((reason: unknown) => reason);
    const status = remoteStatus(error);
    // A client that was turned away would go on trying, and take the next free place.
    if (status === 'UNAVAILABLE') connection.close();
    return { connection, status };
  };
  const first = await call();
  const second = await call();
  assert.deepEqual([first.status, second.status], ['UNIMPLEMENTED', 'UNIMPLEMENTED']);
  assert.equal((await call()).status, 'UNAVAILABLE');
  assert.match(String(log.lines[0]?.fields.error), /have 2 connections/);
  first.connection.close();
  while ((await call()).status !== 'UNIMPLEMENTED');
});
