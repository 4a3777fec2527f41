import assert from 'node:assert/strict';
import { request } from 'node:http';
import { connect } from 'node:http2';
import { createConnection } from 'node:net';
import { test } from 'node:test';
import { Metadata } from '@grpc/grpc-js';
import { shop, workloadWith } from '../../test/support/agent.js';
import { testCa } from '../../test/support/ca.js';
import { identityOf, servedWorkloadApi, viewOf } from '../../test/support/served-workload-api.js';
import { until } from '../../test/support/until.js';
import { headers, workloadClient, workloadMethods } from '../../test/support/workload-api.js';
import { fault } from '../base/faults/fault.js';
import { vouchFor } from '../registration/attested-workload.js';
import { dialUnix } from '../transport/dial-unix.js';
import { type GrpcConnection, remoteStatus } from '../transport/grpc-client.js';

const ca = testCa(shop);
const web = ca.svid('spiffe://shop.example/web').svid;
const view = viewOf(ca.bundle, [identityOf(web)]);
const names = Object.keys(workloadMethods) as (keyof typeof workloadMethods)[];

/** How a call of any method ended: `OK` after the first answer. */
async function outcome(connection: GrpcConnection, name: (typeof names)[number], metadata: Metadata) {
  const stream = connection.stream(workloadMethods[name] as typeof workloadMethods.FetchX509SVID, {
    metadata,
  });
  stream.send({});
  stream.end();
  try {
    for await (const _ of stream.responses) return 'OK';
    return 'nothing';
  } catch (error) {
    return remoteStatus(error);
  }
}

test('WE-02, S19: every method wants the security header, exactly `true` and exactly once', async (t) => {
  const { path } = await servedWorkloadApi(t, view);
  const connection = dialUnix(path);
  t.after(() => connection.close());
  const wrong = [
    new Metadata(),
    headers('True'),
    headers('1'),
    headers('true', 'true'),
    headers('true', 'false'),
    headers('false'),
    headers('true,true'),
  ];
  for (const name of names) {
    for (const metadata of wrong) {
      assert.equal(await outcome(connection, name, metadata), 'INVALID_ARGUMENT', String(name));
    }
  }
  assert.equal(await outcome(connection, 'FetchX509SVID', headers('true')), 'OK');
});

test('WE-05, S25: there is Unavailable before anything is known and when the caller cannot be attested, which is no identity', async (t) => {
  const { client, show } = await servedWorkloadApi(t, 'unknown');
  const unavailable = (error: unknown) => remoteStatus(error) === 'UNAVAILABLE';
  await assert.rejects(client.x509Svids().next(), unavailable);
  await assert.rejects(client.jwtBundles().next(), unavailable);
  await assert.rejects(client.fetchJwt(['orders']), unavailable);
  await assert.rejects(client.validateJwt('orders', 'x'), unavailable);
  show(view);
  await client.x509Svids().next();
  const attest = async () => Promise.reject(fault('ATT0103', { pid: 1 }));
  const { client: other } = await servedWorkloadApi(t, view, { attest });
  await assert.rejects(other.x509Svids().next(), unavailable);
  await assert.rejects(other.fetchJwt(['orders']), unavailable);
});

test('WE-06: there is PermissionDenied for a caller that no entry matches', async (t) => {
  const { path } = await servedWorkloadApi(t, viewOf(ca.bundle, []));
  const { connection } = workloadClient(t, path);
  for (const name of ['FetchX509SVID', 'FetchX509Bundles', 'FetchJWTBundles'] as const) {
    assert.equal(await outcome(connection, name, headers()), 'PERMISSION_DENIED');
  }
});

test('WE-09: the service has the methods of the standard and no other', async (t) => {
  const { path } = await servedWorkloadApi(t, view);
  assert.deepEqual(names.sort(), [
    ...['FetchJWTBundles', 'FetchJWTSVID', 'FetchWITBundles', 'FetchWITSVID'],
    ...['FetchX509Bundles', 'FetchX509SVID', 'ValidateJWTSVID'],
  ]);
  const { connection } = workloadClient(t, path);
  const other = { ...workloadMethods.FetchX509SVID, path: '/SpiffeWorkloadAPI/FetchSSHSVID' };
  const stream = connection.stream(other, { metadata: headers() });
  stream.end();
  await assert.rejects(
    stream.responses[Symbol.asyncIterator]().next(),
    (error) => remoteStatus(error) === 'UNIMPLEMENTED',
  );
});

test('WA-18: both methods of the WIT profile are Unimplemented', async (t) => {
  const { path } = await servedWorkloadApi(t, view);
  const { connection } = workloadClient(t, path);
  assert.equal(await outcome(connection, 'FetchWITSVID', headers()), 'UNIMPLEMENTED');
  assert.equal(await outcome(connection, 'FetchWITBundles', headers()), 'UNIMPLEMENTED');
});

test('a stream ends when its process is no longer the one that was attested, and nothing more is sent', async (t) => {
  let isAlive = true;
  const { pid, uid, selectors } = workloadWith('unix:uid:1000');
  const attest = async () => vouchFor({ pid, uid, selectors, isAlive: () => isAlive });
  const { client, show } = await servedWorkloadApi(t, view, { attest });
  const stream = client.x509Svids();
  await stream.next();
  isAlive = false;
  show(viewOf(ca.bundle, [identityOf(ca.svid(web.id).svid)]));
  await assert.rejects(stream.next(), /ATT0102/);
});

test('what becomes unknown is not taken away: an open stream says nothing, and goes on from there', async (t) => {
  const { client, show } = await servedWorkloadApi(t, view);
  const stream = client.x509Svids();
  await stream.next();
  show('unknown');
  const next = ca.svid(web.id).svid;
  show(viewOf(ca.bundle, [identityOf(next)]));
  assert.deepEqual((await stream.next()).svids?.[0]?.x509_svid, Buffer.concat(next.chain));
});

test('a stream that its client leaves is forgotten', async (t) => {
  const { client, watchers } = await servedWorkloadApi(t, view);
  const streams = [client.x509Svids(), client.x509Bundles(), client.jwtBundles()];
  for (const stream of streams) await stream.next();
  assert.equal(watchers(), 3);
  for (const stream of streams) stream.cancel();
  await until(() => watchers() === 0);
});

test('S20: HTTP/1.1, a PROXY header and HTTP/2 that is not gRPC get no answer of the API', async (t) => {
  const { path } = await servedWorkloadApi(t, view);
  const refused = await new Promise((resolve) => {
    const call = request({ socketPath: path, path: '/SpiffeWorkloadAPI/FetchX509SVID', method: 'POST' });
    call.setHeader('workload.spiffe.io', 'true');
    call.setHeader('content-type', 'application/grpc');
    call.once('response', () => resolve('an answer')).once('error', () => resolve('refused'));
    call.end();
  });
  assert.equal(refused, 'refused');

  const proxied = createConnection(path);
  const ended = new Promise((resolve) => proxied.once('close', resolve).on('error', () => {}));
  proxied.resume();
  proxied.write('PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  await ended;

  const browser = connect('http://localhost', { createConnection: () => createConnection(path) });
  t.after(() => browser.destroy());
  const page = browser.request({
    ':method': 'POST',
    ':path': '/SpiffeWorkloadAPI/FetchX509SVID',
    'content-type': 'text/plain',
    origin: 'http://evil.example',
    'workload.spiffe.io': 'true',
  });
  page.end();
  const status = await new Promise((resolve) => page.once('response', (head) => resolve(head[':status'])));
  assert.equal(status, 415);
});
