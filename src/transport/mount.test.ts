import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:http2';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { ServiceError } from '@grpc/grpc-js';
import { temporaryFolder } from '../../test/support/children.js';
import { recordingLog } from '../../test/support/log.js';
import { fault } from '../base/faults/fault.js';
import { decode, encode } from '../wire/messages.js';
import { serviceDefinition } from '../wire/services.js';
import { dialUnix } from './dial-unix.js';
import { remoteStatus } from './grpc-client.js';
import { type Call, type Handlers, service } from './service.js';
import { serveUnix } from './unix-server.js';

const healthName = 'grpc.health.v1.Health';
const health = serviceDefinition(healthName);
type Health = typeof health;

async function serve(t: TestContext, handlers: Handlers<Health>) {
  const path = join(temporaryFolder(t), 's');
  const log = recordingLog();
  const server = await serveUnix({ path, mode: 0o600, services: [service(healthName, handlers)], log });
  t.after(() => server.close());
  const connection = dialUnix(path);
  t.after(() => connection.close());
  return { path, log, server, connection };
}

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));

test('a fault ends a call with its status, code, sentence and way out, and its detail in the trailer', async (t) => {
  const typeUrl = 'type.googleapis.com/google.protobuf.StringValue';
  const value = encode('google.protobuf.StringValue', { value: 'reason' });
  const { connection, log } = await serve(t, {
    Check: { unary: () => Promise.reject(fault('IDN0104', { bytes: 300 }, { detail: { typeUrl, value } })) },
  });
  await assert.rejects(connection.unary(health.Check, {}), (error: Error) => {
    assert.equal(remoteStatus(error), 'INVALID_ARGUMENT');
    const { details, metadata } = error.cause as ServiceError;
    assert.equal(
      details,
      'IDN0104: the trust domain is 300 bytes long, more than 255 (use a shorter name for the trust domain)',
    );
    const [packed] = metadata.get('grpc-status-details-bin');
    const rich = decode('google.rpc.Status', packed as Buffer);
    assert.deepEqual([rich.code, rich.message], [3, details]);
    assert.deepEqual(rich.details, [{ type_url: typeUrl, value }]);
    return true;
  });
  assert.equal(log.lines[0]?.level, 'info');
});

test('anything else that is thrown is INTERNAL without its text, and logged with it', async (t) => {
  const { connection, log } = await serve(t, {
    Check: { unary: () => Promise.reject(new Error('a private detail')) },
    Watch: { stream: () => Promise.reject(new Error('a private detail')) },
  });
  const isInternal = (error: Error) =>
    remoteStatus(error) === 'INTERNAL' && !error.message.includes('private');
  await assert.rejects(connection.unary(health.Check, {}), isInternal);
  await assert.rejects(connection.stream(health.Watch).responses[Symbol.asyncIterator]().next(), isInternal);
  assert.deepEqual(
    log.lines.map(({ level, fields }) => [level, fields.method, String(fields.error)]),
    ['Check', 'Watch'].map((name) => ['error', `/${healthName}/${name}`, 'Error: a private detail']),
  );
});

test('a response that the strict encoder refuses is INTERNAL, never a silent default', async (t) => {
  const { connection } = await serve(t, {
    Check: { unary: async () => ({ status: 'SERVNG' as 'SERVING' }) },
    Watch: { stream: (call) => call.send({ status: 'SERVNG' as 'SERVING' }) },
  });
  await assert.rejects(connection.unary(health.Check, {}), (error) => remoteStatus(error) === 'INTERNAL');
  await assert.rejects(
    connection.stream(health.Watch).responses[Symbol.asyncIterator]().next(),
    (error) => remoteStatus(error) === 'INTERNAL',
  );
});

test('bytes that are no request are refused, and the handler never sees them', async (t) => {
  let seen = 0;
  const { connection } = await serve(t, {
    Check: { unary: async () => ({ status: seen++ === 0 ? 'SERVING' : 'UNKNOWN' }) },
  });
  const garbled = { ...health.Check, requestSerialize: () => Buffer.from('ff', 'hex') };
  await assert.rejects(connection.unary(garbled, {}), /WIR0301/);
  assert.equal(seen, 0);
});

test('a response may be handed over as its bytes', async (t) => {
  const bytes = encode('grpc.health.v1.HealthCheckResponse', { status: 'NOT_SERVING' });
  const { connection } = await serve(t, { Check: { unary: async () => bytes } });
  assert.equal((await connection.unary(health.Check, {})).status, 'NOT_SERVING');
});

test('requests of a stream come in order and end when the client has no more', async (t) => {
  // Watch takes one request on paper; on the wire it is a stream like any other.
  const { connection } = await serve(t, {
    Watch: {
      stream: async (call) => {
        const names: string[] = [];
        for await (const request of call.requests) names.push(request.service ?? '');
        await call.send({ status: names.join() === 'a,b,c' ? 'SERVING' : 'UNKNOWN' });
      },
    },
  });
  const stream = connection.stream(health.Watch);
  for (const name of ['a', 'b', 'c']) stream.send({ service: name });
  stream.end();
  const statuses: unknown[] = [];
  for await (const { status } of stream.responses) statuses.push(status);
  assert.deepEqual(statuses, ['SERVING']);
});

test('a handler learns that nobody waits any more: cancelled, disconnected, or past the deadline', async (t) => {
  const calls: Call[] = [];
  const ends: Promise<void>[] = [];
  const { connection, path } = await serve(t, {
    Check: {
      unary: async (_request, call) => {
        calls.push(call);
        ends.push(aborted(call.signal));
        await aborted(call.signal);
        return {};
      },
    },
  });
  const cancel = new AbortController();
  const cancelled = assert.rejects(
    connection.unary(health.Check, {}, { signal: cancel.signal }),
    (error) => remoteStatus(error) === 'CANCELLED',
  );
  while (calls.length < 1) await new Promise(setImmediate);
  cancel.abort();
  await cancelled;
  await ends[0];
  await assert.rejects(
    connection.unary(health.Check, {}, { deadlineMs: 50 }),
    (error) => remoteStatus(error) === 'DEADLINE_EXCEEDED',
  );
  await ends[1];
  const other = dialUnix(path);
  const broken = assert.rejects(other.unary(health.Check, {}));
  while (calls.length < 3) await new Promise(setImmediate);
  other.close();
  await broken;
  await ends[2];
});

test('sending to a client that went away ends quietly, and its requests just end', async (t) => {
  let done: (what: string) => void = () => {};
  const finished = new Promise<string>((resolve) => {
    done = resolve;
  });
  const { connection, log } = await serve(t, {
    Watch: {
      stream: async (call) => {
        for await (const _ of call.requests) await call.send({});
        for (let count = 0; count < 100; count++) await call.send({});
        done('finished');
      },
    },
  });
  const stream = connection.stream(health.Watch);
  stream.send({});
  for await (const _ of stream.responses) break;
  assert.equal(await finished, 'finished');
  assert.deepEqual(log.lines, []);
});

test('a server that closes lets running calls end first, if it is given the time', async (t) => {
  let started = () => {};
  const running = new Promise<void>((resolve) => {
    started = resolve;
  });
  const { connection, server } = await serve(t, {
    Check: {
      unary: async () => {
        started();
        await new Promise((resolve) => setTimeout(resolve, 100));
        return { status: 'SERVING' as const };
      },
    },
  });
  const answer = connection.unary(health.Check, {});
  await running;
  await server.close(5_000);
  assert.equal((await answer).status, 'SERVING');
});

test('S20: what is not HTTP/2 is turned away: browsers, proxies, noise', async (t) => {
  const { path, connection } = await serve(t, { Check: { unary: async () => ({}) } });
  for (const greeting of [
    'GET / HTTP/1.1\r\nhost: localhost\r\n\r\n',
    'POST /grpc.health.v1.Health/Check HTTP/1.1\r\nhost: a\r\ncontent-type: application/grpc\r\ncontent-length: 0\r\n\r\n',
    'PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    '\u0016\u0003\u0001',
  ]) {
    const socket = createConnection(path);
    socket.end(greeting);
    socket.resume().on('error', () => {});
    let answer = '';
    socket.on('data', (data) => {
      answer += data;
    });
    await once(socket, 'close');
    assert.doesNotMatch(answer, /HTTP\/1|200/);
  }
  await connection.unary(health.Check, {});
});

test('what a caller puts into its headers does not get onto standard error', async (t) => {
  const { path } = await serve(t, { Check: { unary: async () => ({}) } });
  const written = t.mock.method(console, 'error', () => {});
  const session = connect('http://localhost', { createConnection: () => createConnection(path) });
  const stream = session.request({
    ...{ ':method': 'POST', ':path': '/grpc.health.v1.Health/Check', te: 'trailers' },
    ...{ 'content-type': 'application/grpc', 'x-evil': '\u00ff forged line' },
  });
  stream.end(Buffer.alloc(5)).resume();
  await once(stream, 'close');
  session.destroy();
  assert.equal(written.mock.callCount(), 0);
});

test('a handler for a method that does not exist, or of the wrong shape, is a mistake that shows at the start', () => {
  assert.throws(() => service(healthName, { Chek: { unary: async () => ({}) } }), /has no method Chek/);
  assert.throws(() => service(healthName, { Watch: { unary: async () => ({}) } }), /does not fit/);
  assert.throws(() => service(healthName, { Check: { stream: async () => {} } }), /does not fit/);
});
