import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { endChild, temporaryFolder } from '../../test/support/children.js';
import { until } from '../../test/support/until.js';
import { serviceDefinition } from '../wire/services.js';
import { dialUnix } from './dial-unix.js';
import { remoteStatus } from './grpc-client.js';
import type { UnixPeer } from './peer.js';
import { peerOfConnection } from './peer-credentials.js';
import { serveUnix } from './unix-server.js';

const health = serviceDefinition('grpc.health.v1.Health');

/** A socket that says who connects to it. */
async function listen(t: TestContext) {
  const path = join(temporaryFolder(t), 's');
  const peers: UnixPeer[] = [];
  const closed: number[] = [];
  const server = createServer((connection) => {
    peers.push(peerOfConnection(connection));
    connection.on('close', () => closed.push(1)).resume();
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.after(() => server.close());
  return { path, peers, closed };
}

/** Starts a Node program and waits for its first line. */
async function startNode(t: TestContext, program: string): Promise<ChildProcess & { line: string }> {
  const args = ['--input-type=module', '-e', program];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => endChild(child));
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return Object.assign(child, { line: String(line).trim() });
}

const connectTo = (path: string) => `
  import { createConnection } from 'node:net';
  const socket = createConnection(${JSON.stringify(path)});
  await new Promise((resolve) => socket.once('connect', resolve));`;

test('S21: a caller is its very process while that lives, and nobody afterwards', async (t) => {
  const { path, peers } = await listen(t);
  const child = await startNode(t, `${connectTo(path)} console.log('connected');`);
  await until(() => peers.length === 1);
  const [peer] = peers;
  assert.deepEqual([peer?.pid, peer?.uid, peer?.gid], [child.pid, process.getuid?.(), process.getgid?.()]);
  assert.equal(peer?.isAlive(), true);
  await endChild(child);
  assert.equal(peer?.isAlive(), false);
});

test('S21: a connection that its caller left to another process speaks for nobody', async (t) => {
  const { path, peers, closed } = await listen(t);
  const child = await startNode(
    t,
    `${connectTo(path)}
     import { spawn } from 'node:child_process';
     const heir = spawn('/bin/sleep', ['600'], { stdio: ['ignore', 'ignore', 'ignore', socket] });
     console.log(heir.pid);`,
  );
  t.after(() => process.kill(Number(child.line), 'SIGKILL'));
  await until(() => peers.length === 1);
  assert.equal(peers[0]?.isAlive(), true);
  await endChild(child);
  await sleep(20);
  assert.deepEqual(closed, [], 'the heir keeps the connection open');
  assert.equal(peers[0]?.isAlive(), false);
});

const python = spawnSync('python3', ['-c', 'import socket; socket.send_fds']).status === 0;

test('S21: a socket that was passed on (SCM_RIGHTS) speaks for who connected, and for nobody once that ended', {
  skip: python ? false : 'passing a socket on needs Python 3.9',
}, async (t) => {
  const { path, peers, closed } = await listen(t);
  const program = `
import os, socket, sys, time
mine = socket.socket(socket.AF_UNIX)
mine.connect(sys.argv[1])
here, there = socket.socketpair()
if os.fork() == 0:
    mine.close()
    _, passed, _, _ = socket.recv_fds(there, 1, 1)
    print(os.getpid(), flush=True)
    time.sleep(600)
socket.send_fds(here, [b'x'], [mine.fileno()])
mine.close()
time.sleep(600)`;
  const child = spawn('python3', ['-c', program, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => endChild(child));
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  t.after(() => process.kill(Number(String(line)), 'SIGKILL'));
  await until(() => peers.length === 1);
  assert.equal(peers[0]?.pid, child.pid);
  assert.equal(peers[0]?.isAlive(), true);
  await endChild(child);
  assert.equal(peers[0]?.isAlive(), false);
  assert.deepEqual(closed, [], 'who has the socket now keeps the connection open');
});

test('S21: once a connection is closed its caller counts as gone', async (t) => {
  const { path, peers, closed } = await listen(t);
  const connection = createConnection(path);
  await until(() => peers.length === 1);
  assert.equal(peers[0]?.isAlive(), true);
  connection.destroy();
  await until(() => closed.length === 1);
  assert.equal(peers[0]?.isAlive(), false);
});

test('S22: 10,000 callers that come and go leave no file open', async (t) => {
  const path = join(temporaryFolder(t), 's');
  const server = await serveUnix({ path, mode: 0o600, services: [] });
  t.after(() => server.close());
  const openFiles = () => readdirSync('/proc/self/fd').length;
  const comeAndGo = async (count: number) => {
    const sockets = Array.from({ length: count }, () => createConnection(path));
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    for (const socket of sockets) socket.destroy();
    await Promise.all(sockets.map((socket) => socket.closed || once(socket, 'close')));
  };
  // Callers are taken one after the other, so once this one is answered all before it were seen.
  const waitMyTurn = async () => {
    const connection = dialUnix(path);
    await assert.rejects(
      connection.unary(health.Check, {}),
      (error) => remoteStatus(error) === 'UNIMPLEMENTED',
    );
    connection.close();
  };
  await waitMyTurn();
  const before = openFiles();
  for (let round = 0; round < 100; round++) {
    await comeAndGo(100);
    await waitMyTurn();
  }
  await until(() => openFiles() <= before);
});

const canUnshare = spawnSync('unshare', ['--pid', '--fork', 'true']).status === 0;

test('S21: a caller in another PID namespace, whose pid the kernel shows as 0, is turned away', {
  skip: canUnshare ? false : 'making a PID namespace needs root and unshare(1)',
}, async (t) => {
  const path = join(temporaryFolder(t), 's');
  const module = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);
  const program = `
    const { serveUnix } = await import(${module('./unix-server.js')});
    const { createLog } = await import(${module('../telemetry/log.js')});
    const log = createLog({ level: 'warn', fd: 1 });
    await serveUnix({ path: ${JSON.stringify(path)}, mode: 0o600, services: [], log });
    console.log('ready');`;
  const child = spawn(
    'unshare',
    ['--pid', '--fork', '--kill-child', process.execPath, '--input-type=module', '-e', program],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  t.after(() => endChild(child));
  const lines = child.stdout.setEncoding('utf8')[Symbol.asyncIterator]();
  assert.match((await lines.next()).value, /ready/);
  const connection = createConnection(path);
  await once(connection, 'close');
  assert.match((await lines.next()).value, /TRN0101/);
});

const canReusePids =
  canUnshare && existsSync('/proc/sys/kernel/ns_last_pid')
    ? {}
    : { skip: 'needs root, to choose the pids of a namespace of its own' };

test(
  'S21: another process with the pid of the one that connected is not taken for it',
  canReusePids,
  async (t) => {
    const path = join(temporaryFolder(t), 's');
    const module = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);
    const program = `
    import { spawn } from 'node:child_process';
    import { once } from 'node:events';
    import { writeFileSync } from 'node:fs';
    import { createServer } from 'node:net';
    const { peerOfConnection } = await import(${module('./peer-credentials.js')});
    const { silentLog } = await import(${module('../telemetry/log.js')});
    const { workloadAttestation } = await import(${module('../attestation/workload/attest.js')});
    const path = ${JSON.stringify(path)};
    const server = createServer();
    await new Promise((resolve) => server.listen(path, resolve));
    const connects = \`
      import { spawn } from 'node:child_process';
      import { createConnection } from 'node:net';
      const socket = createConnection(process.argv[1]);
      socket.once('connect', () => {
        const heir = spawn('/bin/sleep', ['600'], { stdio: ['ignore', 'ignore', 'ignore', socket] });
        heir.once('spawn', () => socket.write('x'));
      });\`;
    const first = spawn(process.execPath, ['--input-type=module', '-e', connects, path]);
    const [connection] = await once(server, 'connection');
    const peer = peerOfConnection(connection);
    await once(connection, 'data');
    const before = peer.isAlive();
    first.kill('SIGKILL');
    await once(first, 'exit');
    let again;
    for (let tries = 0; again?.pid !== first.pid && tries < 100; tries++) {
      again?.kill('SIGKILL');
      writeFileSync('/proc/sys/kernel/ns_last_pid', String(first.pid - 1));
      again = spawn('/bin/sleep', ['600']);
      await once(again, 'spawn');
    }
    const refused = await workloadAttestation([], silentLog)(peer).catch((error) => error.code);
    const { readyState } = connection;
    console.log(JSON.stringify({ reused: again.pid === first.pid, before, after: peer.isAlive(), refused, readyState }));
    process.exit();`;
    const args = ['--pid', '--fork', '--mount-proc', '--kill-child', process.execPath];
    const child = spawn('unshare', [...args, '--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(() => endChild(child));
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    assert.deepEqual(JSON.parse(String(line)), {
      ...{ reused: true, before: true, after: false, refused: 'ATT0102', readyState: 'open' },
    });
  },
);
