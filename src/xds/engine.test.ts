import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from '../../test/support/children.js';
import { textOf, textSource } from '../../test/support/xds-model.js';
import { fault } from '../base/faults/fault.js';
import { dialUnix } from '../transport/dial-unix.js';
import { type ClientStream, remoteStatus } from '../transport/grpc-client.js';
import { serveUnix } from '../transport/unix-server.js';
import { typeUrlOf } from '../wire/messages.js';
import { serviceDefinition } from '../wire/services.js';
import { xdsServices } from './engine.js';
import type { XdsEvent } from './source.js';

const secretType = typeUrlOf('envoy.extensions.transport_sockets.tls.v3.Secret');
const sds = serviceDefinition('envoy.service.secret.v3.SecretDiscoveryService');
const ads = serviceDefinition('envoy.service.discovery.v3.AggregatedDiscoveryService');
const ecds = serviceDefinition('envoy.service.extension.v3.ExtensionConfigDiscoveryService');

/** An engine on a unix socket, and a client of it. The source's texts stand in for secrets. */
async function serve(t: TestContext, identify = async () => 'somebody') {
  const source = textSource(secretType);
  const events: XdsEvent<string>[] = [];
  const alive = { is: true };
  const isAlive = () => alive.is;
  const path = join(temporaryFolder(t), 's');
  const services = xdsServices({ sources: [source], identify, isAlive, onEvent: (e) => events.push(e) });
  const server = await serveUnix({ path, mode: 0o600, services });
  t.after(() => server.close());
  const connection = dialUnix(path);
  t.after(() => connection.close());
  return { source, events, alive, connection };
}

async function next<Response>({ responses }: ClientStream<never, Response>): Promise<Response> {
  for await (const response of responses) return response;
  throw new Error('the stream ended');
}

test('delta over the secret service: changes arrive as they happen, answers become events', async (t) => {
  const { source, events, connection } = await serve(t);
  const stream = connection.stream(sds.DeltaSecrets);
  const responses = stream.responses[Symbol.asyncIterator]();
  const read = async () => (await responses.next()).value;
  source.set('a', '1');
  stream.send({ node: { id: 'front' }, resource_names_subscribe: ['a'] });
  const first = await read();
  assert.deepEqual(textOf(first?.resources?.[0]?.resource), ['a', '1']);
  assert.equal(first?.type_url, secretType);
  stream.send({ type_url: secretType, response_nonce: first?.nonce });
  source.set('a', '2');
  const second = await read();
  assert.deepEqual(textOf(second?.resources?.[0]?.resource), ['a', '2']);
  stream.send({
    type_url: secretType,
    response_nonce: second?.nonce,
    error_detail: { code: 13, message: 'cannot load' },
  });
  assert.deepEqual(textOf((await read())?.resources?.[0]?.resource), ['a', '1']);
  assert.deepEqual(
    events.map(({ kind, identity, node, names }) => [kind, identity, node, ...names]),
    [
      ['ack', 'somebody', 'front', 'a'],
      ['nack', 'somebody', 'front', 'a'],
    ],
  );
  stream.end();
  assert.equal((await responses.next()).done, true);
});

test('state of the world over the aggregated service, on a stream that half the types are unknown on', async (t) => {
  const { source, connection } = await serve(t);
  source.set('a', '1');
  const stream = connection.stream(ads.StreamAggregatedResources);
  stream.send({ type_url: 'type.googleapis.com/envoy.config.listener.v3.Listener' });
  stream.send({ type_url: secretType, resource_names: ['a', 'b'] });
  const response = await next(stream);
  assert.deepEqual(response.resources?.map(textOf), [['a', '1']]);
  stream.cancel();
});

test('Fetch answers with what there is right now', async (t) => {
  const { source, connection } = await serve(t);
  source.set('a', '1');
  const { resources, nonce } = await connection.unary(sds.FetchSecrets, { resource_names: ['a', 'b'] });
  assert.deepEqual(resources?.map(textOf), [['a', '1']]);
  assert.equal(nonce ?? '', '', 'nobody answers a Fetch');
  const other = { type_url: 'type.googleapis.com/envoy.config.listener.v3.Listener' };
  await assert.rejects(connection.unary(sds.FetchSecrets, other), /XDS0102/);
  assert.equal(source.openViews(), 0);
});

test('who is refused gets the status and no stream; a type without a source has no service', async (t) => {
  const { source, connection } = await serve(t, () => Promise.reject(fault('TRN0201', {})));
  const stream = connection.stream(sds.StreamSecrets);
  stream.send({ resource_names: ['a'] });
  await assert.rejects(next(stream), (error) => remoteStatus(error) === 'UNAUTHENTICATED');
  assert.equal(source.openViews(), 0);
  const other = connection.stream(ecds.DeltaExtensionConfigs);
  await assert.rejects(next(other), (error) => remoteStatus(error) === 'UNIMPLEMENTED');
});

test('a stream ends at the next push once its caller is gone, and lets go of its view', async (t) => {
  const { source, alive, connection } = await serve(t);
  source.set('a', '1');
  const stream = connection.stream(sds.DeltaSecrets);
  const responses = stream.responses[Symbol.asyncIterator]();
  stream.send({ resource_names_subscribe: ['a'] });
  const { value: first } = await responses.next();
  stream.send({ response_nonce: first?.nonce });
  alive.is = false;
  source.set('a', '2');
  await assert.rejects(responses.next(), (error: Error) => /XDS0104/.test(error.message));
  assert.equal(source.openViews(), 0);
});

test('a client that disappears leaves nothing behind', async (t) => {
  const { source, connection } = await serve(t);
  const stream = connection.stream(sds.DeltaSecrets);
  stream.send({ resource_names_subscribe: ['a'] });
  await stream.responses[Symbol.asyncIterator]().next();
  assert.equal(source.openViews(), 1);
  const closed = source.closed();
  connection.close();
  await closed;
  assert.equal(source.openViews(), 0);
});
