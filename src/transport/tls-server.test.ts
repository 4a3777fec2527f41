import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { testCa } from '../../test/support/ca.js';
import { systemClock } from '../base/clock.js';
import { verifyX509Svid } from '../spiffe/verify-x509-svid.js';
import type { X509Svid } from '../spiffe/x509-svid.js';
import { serviceDefinition } from '../wire/services.js';
import { dialTls } from './dial-tls.js';
import { remoteStatus } from './grpc-client.js';
import { service } from './service.js';
import { serveTls } from './tls-server.js';
import { verifyPeerIfPresented } from './verify-peer.js';

const health = serviceDefinition('grpc.health.v1.Health');
const ca = testCa('shop.example');

function rotating(first: X509Svid | undefined) {
  const listeners = new Set<() => void>();
  let svid = first;
  return {
    current: () => svid,
    onChange: (listener: () => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    rotate: (next: X509Svid) => {
      svid = next;
      for (const listener of listeners) listener();
    },
  };
}

test('callers with an SVID are verified on every call, callers without one are nobody (S15)', async (t) => {
  const bundles = { bundle: () => ca.bundle, onChange: () => () => {} };
  const callers: (string | undefined)[] = [];
  const server = await serveTls({
    host: '127.0.0.1',
    port: 0,
    identity: rotating(ca.svid('spiffe://shop.example/spire/server').svid),
    services: [
      service('grpc.health.v1.Health', {
        Check: {
          unary: async (_request, { peer }) => {
            callers.push(verifyPeerIfPresented(peer, bundles, systemClock)?.id);
            return { status: 'SERVING' as const };
          },
        },
      }),
    ],
  });
  t.after(() => server.close());
  const address = `127.0.0.1:${server.port}`;
  const verifyServer = (chain: readonly Uint8Array[]) => void verifyX509Svid(chain, ca.bundle, Date.now());
  const web = rotating(ca.svid('spiffe://shop.example/web').svid);
  const known = dialTls({ address, svid: web, verifyServer });
  const nobody = dialTls({ address, verifyServer });
  const foreign = dialTls({
    address,
    svid: rotating(testCa('shop.example').svid('spiffe://shop.example/web').svid),
    verifyServer,
  });
  t.after(() => {
    for (const connection of [known, nobody, foreign]) connection.close();
  });
  await known.unary(health.Check, {});
  await nobody.unary(health.Check, {});
  web.rotate(ca.intermediate().svid('spiffe://shop.example/orders').svid);
  await known.unary(health.Check, {});
  assert.deepEqual(callers, ['spiffe://shop.example/web', undefined, 'spiffe://shop.example/orders']);
  await assert.rejects(foreign.unary(health.Check, {}), (error: Error) => {
    assert.equal(remoteStatus(error), 'UNAUTHENTICATED');
    assert.match(error.message, /TRN0203/);
    return true;
  });
  const other = testCa('shop.example');
  const strict = dialTls({
    address,
    verifyServer: (chain) => void verifyX509Svid(chain, other.bundle, Date.now()),
  });
  t.after(() => strict.close());
  await assert.rejects(
    strict.unary(health.Check, {}),
    (error: Error & { code?: string }) => error.code === 'TRN0302',
  );
});

test('closing does not wait for a client that is in the middle of its handshake', async () => {
  const identity = rotating(ca.svid('spiffe://shop.example/spire/server').svid);
  const server = await serveTls({ host: '127.0.0.1', port: 0, identity, services: [] });
  const client = connect(server.port, '127.0.0.1');
  const gone = new Promise((resolve) => client.once('close', resolve));
  await new Promise((resolve) => client.once('connect', resolve));
  // The server has accepted it once another connection, made later, was served.
  const other = dialTls({ address: `127.0.0.1:${server.port}`, verifyServer: () => {} });
  await assert.rejects(other.unary(health.Check, {}));
  await server.close();
  await gone;
  other.close();
});
