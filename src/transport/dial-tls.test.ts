import assert from 'node:assert/strict';
import { type AddressInfo, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { testCa } from '../../test/support/ca.js';
import { rotatingSvid } from '../../test/support/svid-source.js';
import { isFault } from '../base/faults/fault.js';
import { verifyX509Svid } from '../spiffe/verify-x509-svid.js';
import { serviceDefinition } from '../wire/services.js';
import { dialTls } from './dial-tls.js';
import { remoteStatus } from './grpc-client.js';
import { service } from './service.js';
import { serveTls } from './tls-server.js';

const health = serviceDefinition('grpc.health.v1.Health');
const ca = testCa('shop.example');

/** A server that answers each call with the serial of what its caller presented, and streams it on demand. */
async function serve(t: TestContext) {
  const seen: string[] = [];
  const nameOf = (presented: readonly Uint8Array[]) => Buffer.from(presented[0] ?? []).toString('hex');
  const server = await serveTls({
    host: '127.0.0.1',
    port: 0,
    identity: rotatingSvid(ca.intermediate().svid('spiffe://shop.example/spire/server').svid),
    services: [
      service('grpc.health.v1.Health', {
        Check: {
          unary: async (_request, { peer }) => {
            seen.push(peer.kind === 'tls' ? nameOf(peer.presented) : '');
            return {};
          },
        },
        Watch: {
          stream: async (call) => {
            await call.send({ status: 'SERVING' });
            await new Promise((resolve) => call.signal.addEventListener('abort', resolve));
          },
        },
      }),
    ],
  });
  t.after(() => server.close());
  return { address: `127.0.0.1:${server.port}`, seen };
}

test('the server is judged by its whole chain, whatever it was signed by, and refused before anything is sent', async (t) => {
  const { address, seen } = await serve(t);
  const chains: number[] = [];
  const pinned = dialTls({
    address,
    verifyServer: (chain) => {
      chains.push(chain.length);
      verifyX509Svid(chain, testCa('shop.example').bundle, Date.now());
    },
  });
  t.after(() => pinned.close());
  await assert.rejects(pinned.unary(health.Check, {}), (error: Error) => {
    assert.ok(isFault(error, 'TRN0302'));
    assert.ok(isFault(error.cause, 'IDN0210') || error.cause instanceof Error);
    return true;
  });
  assert.equal(chains[0], 2);
  assert.deepEqual(seen, []);
  const trusting = dialTls({
    address,
    verifyServer: (chain) => void verifyX509Svid(chain, ca.bundle, Date.now()),
  });
  t.after(() => trusting.close());
  await trusting.unary(health.Check, {});
});

test('after a rotation new calls present the new SVID, and a running stream is not cut', async (t) => {
  const { address, seen } = await serve(t);
  const first = ca.svid('spiffe://shop.example/web');
  const second = ca.svid('spiffe://shop.example/web');
  const svid = rotatingSvid(first.svid);
  const connection = dialTls({ address, svid, verifyServer: () => {} });
  t.after(() => connection.close());
  const stream = connection.stream(health.Watch);
  const responses = stream.responses[Symbol.asyncIterator]();
  stream.send({});
  await responses.next();
  await connection.unary(health.Check, {});
  svid.rotate(second.svid);
  await connection.unary(health.Check, {});
  assert.deepEqual(
    seen,
    [first, second].map(({ der }) => Buffer.from(der).toString('hex')),
  );
  let isOver = false;
  const over = responses.next().catch(() => {
    isOver = true;
  });
  await connection.unary(health.Check, {});
  assert.equal(isOver, false);
  stream.cancel();
  await over;
});

test('an agent without an SVID yet presents nothing, and then what it got', async (t) => {
  const { address, seen } = await serve(t);
  const svid = rotatingSvid();
  const connection = dialTls({ address, svid, verifyServer: () => {} });
  t.after(() => connection.close());
  await connection.unary(health.Check, {});
  const first = ca.svid('spiffe://shop.example/web');
  svid.rotate(first.svid);
  await connection.unary(health.Check, {});
  assert.deepEqual(seen, ['', Buffer.from(first.der).toString('hex')]);
});

test('nobody, and somebody who does not speak TLS, is UNAVAILABLE', async (t) => {
  const babbler = createServer((socket) => socket.resume().end('220 hello\r\n'));
  await new Promise<void>((resolve) => babbler.listen(0, '127.0.0.1', resolve));
  const { port } = babbler.address() as AddressInfo;
  const connection = dialTls({ address: `127.0.0.1:${port}`, verifyServer: () => {} });
  t.after(() => connection.close());
  const isUnavailable = (error: unknown) => remoteStatus(error) === 'UNAVAILABLE';
  await assert.rejects(connection.unary(health.Check, {}), isUnavailable);
  await new Promise((resolve) => babbler.close(resolve));
  await assert.rejects(connection.unary(health.Check, {}), isUnavailable);
});
