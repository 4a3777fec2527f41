import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2, type Settings } from 'node:http2';
import { connect as connectPlain } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectionOptions, connect, createServer, type TLSSocket } from 'node:tls';
import { testCa } from '../../test/support/ca.js';
import { rotatingSvid } from '../../test/support/svid-source.js';
import { serviceDefinition } from '../wire/services.js';
import { dialTls } from './dial-tls.js';
import { remoteStatus } from './grpc-client.js';
import type { TlsPeer } from './peer.js';
import { service } from './service.js';
import { serveTls, type TlsServerOptions } from './tls-server.js';

const health = serviceDefinition('grpc.health.v1.Health');
const ca = testCa('shop.example');
const serverId = 'spiffe://shop.example/spire/server';

/** A server that keeps the peer of every call. */
async function serve(t: TestContext, options: Partial<TlsServerOptions> = {}) {
  const peers: TlsPeer[] = [];
  const identity = rotatingSvid(ca.svid(serverId).svid);
  const healthService = service('grpc.health.v1.Health', {
    Check: {
      unary: async (_request, { peer }) => {
        if (peer.kind === 'tls') peers.push(peer);
        return { status: 'SERVING' as const };
      },
    },
  });
  const server = await serveTls({
    ...{ host: '127.0.0.1', port: 0, identity, services: [healthService] },
    ...options,
  });
  t.after(() => server.close());
  const address = `127.0.0.1:${server.port}`;
  const dial = (
    svid?: ReturnType<typeof rotatingSvid>,
    verifyServer: (chain: readonly Uint8Array[]) => void = () => {},
  ) => {
    const connection = dialTls({ address, verifyServer, ...(svid && { svid }) });
    t.after(() => connection.close());
    return connection;
  };
  return { server, identity, peers, dial };
}

test('a call shows what its caller presented, with the intermediates, or that it presented nothing', async (t) => {
  const { dial, peers } = await serve(t);
  const svid = ca.intermediate().svid('spiffe://shop.example/web');
  await dial(rotatingSvid(svid.svid)).unary(health.Check, {});
  await dial().unary(health.Check, {});
  const asHex = peers.map(({ presented }) => presented.map((der) => Buffer.from(der).toString('hex')));
  assert.deepEqual(asHex, [svid.chain.map((der) => Buffer.from(der).toString('hex')), []]);
});

test('after a rotation new handshakes see the new certificate, and open connections go on', async (t) => {
  const { identity, dial, peers } = await serve(t);
  const seen: string[] = [];
  const see = ([leaf]: readonly Uint8Array[]) => void seen.push(Buffer.from(leaf ?? []).toString('hex'));
  const early = dial(undefined, see);
  await early.unary(health.Check, {});
  const next = ca.svid(serverId);
  identity.rotate(next.svid);
  await dial(undefined, see).unary(health.Check, {});
  await early.unary(health.Check, {});
  assert.equal(seen.length, 2);
  assert.equal(seen[1], Buffer.from(next.der).toString('hex'));
  assert.notEqual(seen[0], seen[1]);
  assert.deepEqual([peers[0]?.address === peers[2]?.address, peers.length], [true, 3]);
});

test('a server without an SVID serves nobody until it has one', async (t) => {
  const identity = rotatingSvid();
  const { dial } = await serve(t, { identity });
  await assert.rejects(dial().unary(health.Check, {}), (error) => remoteStatus(error) === 'UNAVAILABLE');
  identity.rotate(ca.svid(serverId).svid);
  await dial().unary(health.Check, {});
});

const insecure = { host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2'] };

/** A handshake, and the session that a later one could resume, if the server gives any. */
async function handshake(
  options: ConnectionOptions,
): Promise<{ socket: TLSSocket; session: Buffer | undefined }> {
  const socket = connect({ ...insecure, ...options });
  socket.on('error', () => {}).resume();
  // In TLS 1.3 it comes some time after the handshake.
  const given = once(socket, 'session').then(([session]) => session as Buffer);
  await once(socket, 'secureConnect');
  return { socket, session: await Promise.race([given, sleep(200, undefined)]) };
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`S16: no session is ever resumed, so no certificate is ever skipped (${version})`, async (t) => {
    const versions = { minVersion: version, maxVersion: version };
    const resumed = async (port: number) => {
      const first = await handshake({ port, ...versions });
      first.socket.destroy();
      if (!first.session) return false;
      const { socket } = await handshake({ port, ...versions, session: first.session });
      t.after(() => socket.destroy());
      return socket.isSessionReused();
    };
    const { server } = await serve(t);
    assert.equal(await resumed(server.port), false);
    // The control: this client does resume where it may.
    const svid = ca.svid(serverId);
    const careless = createServer({ cert: svid.chainPem, key: svid.keyPem, ALPNProtocols: ['h2'] });
    careless.on('secureConnection', (socket) => socket.on('error', () => {}).write('x'));
    await new Promise<void>((resolve) => careless.listen(0, '127.0.0.1', resolve));
    t.after(() => careless.close());
    assert.equal(await resumed((careless.address() as { port: number }).port), true);
  });
}

test('S17, S20: older TLS, other protocols and plain text are turned away', async (t) => {
  const { server, dial } = await serve(t);
  const { port } = server;
  const old = connect({ ...insecure, port, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' });
  await assert.rejects(once(old, 'secureConnect'));
  const http1 = connect({ ...insecure, port, ALPNProtocols: ['http/1.1'] });
  await assert.rejects(once(http1, 'secureConnect'));
  const silent = connect({ host: '127.0.0.1', rejectUnauthorized: false, port });
  await once(silent, 'secureConnect');
  await once(silent.resume(), 'close');
  const plain = connectPlain(port, '127.0.0.1');
  plain.end('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
  let answer = '';
  for await (const data of plain) answer += data;
  assert.doesNotMatch(answer, /HTTP/);
  await dial().unary(health.Check, {});
});

test('S18: an old connection makes way for a new one, and no call fails over it', async (t) => {
  const { dial, peers } = await serve(t, { maxConnectionAgeMs: 50 });
  const connection = dial();
  while (new Set(peers.map(({ address }) => address)).size < 3) await connection.unary(health.Check, {});
});

const budgets = [
  { who: 'a client that is known', isKnown: true, bytes: 4 * 1024 * 1024, calls: 100 },
  { who: 'S11: a stranger', isKnown: false, bytes: 64 * 1024, calls: 4 },
];

for (const { who, isKnown, bytes, calls } of budgets) {
  test(`S34: ${who} has ${calls} calls at a time on a connection, of ${bytes} bytes each`, async (t) => {
    const { server, dial } = await serve(t, { isKnown: () => isKnown });
    const connection = dial();
    await connection.unary(health.Check, { service: 'x'.repeat(bytes - 100) });
    await assert.rejects(
      connection.unary(health.Check, { service: 'x'.repeat(bytes + 1) }),
      (error) => remoteStatus(error) === 'RESOURCE_EXHAUSTED',
    );
    const session = connectHttp2(`https://127.0.0.1:${server.port}`, { rejectUnauthorized: false });
    t.after(() => session.destroy());
    const [settings] = (await once(session, 'remoteSettings')) as [Settings];
    assert.equal(settings.maxConcurrentStreams, calls);
  });
}

test('S11: strangers have so many connections, those who shake hands included; who is known is not counted', async (t) => {
  const svid = ca.svid('spiffe://shop.example/web').svid;
  const { server, dial } = await serve(t, {
    isKnown: ({ presented }) => presented.length > 0,
    strangers: { perNetwork: 2, total: 10 },
  });
  for (let i = 0; i < 3; i++) await dial(rotatingSvid(svid)).unary(health.Check, {});
  const silent = connectPlain(server.port, '127.0.0.1');
  t.after(() => silent.destroy());
  await once(silent, 'connect');
  await dial().unary(health.Check, {});
  const third = connectPlain(server.port, '127.0.0.1');
  await once(third, 'connect');
  await once(third.resume(), 'close');
  // Whoever is let in already goes on, and a place that becomes free can be taken.
  const gone = once(silent, 'close');
  silent.destroy();
  await gone;
  const late = dial(rotatingSvid(svid));
  while (true) {
    const end = await late.unary(health.Check, {}).catch((error: unknown) => error);
    if (!(end instanceof Error)) break;
    assert.equal(remoteStatus(end), 'UNAVAILABLE');
  }
});

test('an address that is taken is refused with the reason', async (t) => {
  const { server } = await serve(t);
  await assert.rejects(
    serveTls({ host: '127.0.0.1', port: server.port, identity: rotatingSvid(), services: [] }),
    /EADDRINUSE/,
  );
});

test('closing does not wait for a client that is in the middle of its handshake', async (t) => {
  const { server, dial } = await serve(t);
  const client = connectPlain(server.port, '127.0.0.1');
  await once(client, 'connect');
  // The server has accepted it once another connection, made later, was served.
  await dial().unary(health.Check, {});
  const gone = once(client, 'close');
  await server.close();
  await gone;
});
