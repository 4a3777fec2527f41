import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startChild, temporaryFolder } from '../../test/support/children.js';
import { connect, readFrom } from './connection.js';

test('the application answers on a socket for its own user only: what it was asked, and by whom', async (t) => {
  const folder = temporaryFolder(t);
  const socket = join(folder, 'app.sock');
  const program = fileURLToPath(new URL('application.js', import.meta.url));
  await startChild(t, process.execPath, [program, 'orders', socket]);
  while (!existsSync(socket)) await sleep(10);
  assert.equal(statSync(socket).mode & 0o777, 0o600);
  assert.deepEqual(JSON.parse(await readFrom(socket, '/v1/orders?n=1')), {
    service: 'orders',
    caller: null,
    method: 'GET',
    path: '/v1/orders?n=1',
  });
  const headers = { 'x-forwarded-client-cert': 'By=spiffe://a.example/b;URI=spiffe://shop.example/web' };
  assert.match(await readFrom(socket, '/', headers), /"caller":"spiffe:\/\/shop\.example\/web"/);
});

test('a connection is kept from one request to the next, and never silently replaced', async (t) => {
  const socket = join(temporaryFolder(t), 'app.sock');
  const program = fileURLToPath(new URL('application.js', import.meta.url));
  const child = await startChild(t, process.execPath, [program, 'orders', socket]);
  while (!existsSync(socket)) await sleep(10);
  const connection = await connect(socket);
  const request = { to: 'orders', method: 'GET', path: '/' };
  assert.equal(await connection.send(request), 200);
  assert.equal(await connection.send(request), 200);
  assert.ok(connection.isOpen());
  child.kill('SIGKILL');
  while (connection.isOpen()) await sleep(10);
  await startChild(t, process.execPath, [program, 'orders', socket]);
  assert.equal(await connection.send(request), 0);
});
