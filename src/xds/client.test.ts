import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { recordingLog } from '../../test/support/log.js';
import { fault } from '../base/faults/fault.js';
import { dialUnix } from '../transport/dial-unix.js';
import { service } from '../transport/service.js';
import { serveUnix } from '../transport/unix-server.js';
import type { MessageIn, MessageOut } from '../wire/names.js';
import type { EncodedResource } from '../wire/resource.js';
import { handedOn, wildcardFeed } from './client.js';

const typeUrl = 'type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig';
type Request = MessageOut<'envoy.service.discovery.v3.DeltaDiscoveryRequest'>;
type Response = MessageIn<'envoy.service.discovery.v3.DeltaDiscoveryResponse'>;

/** A server whose every stream is held in the test's hands: what came in, and what to send. */
async function scriptedServer(t: TestContext, accept?: (resource: EncodedResource) => void) {
  const folder = mkdtempSync(join(tmpdir(), 'feed-'));
  const path = join(folder, 's.sock');
  const requests: Request[] = [];
  const streams: { send(response: Response): Promise<void>; end(): void }[] = [];
  const server = await serveUnix({
    path,
    mode: 0o600,
    log: recordingLog(),
    services: [
      service('envoy.service.discovery.v3.AggregatedDiscoveryService', {
        DeltaAggregatedResources: {
          stream: (call) =>
            new Promise((end) => {
              streams.push({ send: (response) => call.send(response), end });
              call.signal.addEventListener('abort', () => end());
              void (async () => {
                for await (const request of call.requests) requests.push(request as Request);
              })();
            }),
        },
      }),
    ],
  });
  const connection = dialUnix(path);
  const log = recordingLog();
  const backoff = { firstMs: 5, maxMs: 20 };
  const feed = wildcardFeed({
    ...{ connection, typeUrl, log, backoff },
    read: (received) => {
      const resource = handedOn(received);
      accept?.(resource);
      return resource;
    },
  });
  t.after(async () => {
    feed.close();
    connection.close();
    await server.close();
    rmSync(folder, { recursive: true });
  });
  return { feed, requests, streams, log };
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    assert.ok(tries < 1000, `never came: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const policy = (name: string, version: string) => ({
  name,
  version,
  aliases: [`spiffe://shop.example/${name}`],
  resource: { type_url: typeUrl, value: Buffer.from(version) },
});

test('nothing is known until the server answers, and an empty answer is one', async (t) => {
  const { feed, requests, streams } = await scriptedServer(t);
  await until(() => requests.length === 1, 'the first request');
  assert.deepEqual(requests[0]?.resource_names_subscribe, ['*']);
  assert.equal(feed.current(), 'unknown');
  await streams[0]?.send({ type_url: typeUrl, nonce: 'n1' });
  await until(() => requests.length === 2, 'the ACK');
  assert.equal(requests[1]?.response_nonce, 'n1');
  assert.equal(requests[1]?.error_detail ?? undefined, undefined);
  assert.deepEqual(feed.current(), new Map());
});

test('resources come, change and go, each change is told, and aliases are kept', async (t) => {
  const { feed, requests, streams } = await scriptedServer(t);
  let changes = 0;
  feed.onChange(() => changes++);
  await until(() => streams.length === 1, 'the stream');
  await streams[0]?.send({
    type_url: typeUrl,
    nonce: 'n1',
    resources: [policy('web', 'a'), policy('orders', 'a')],
  });
  await streams[0]?.send({
    type_url: typeUrl,
    nonce: 'n2',
    resources: [policy('web', 'b')],
    removed_resources: ['orders'],
  });
  await until(() => requests.length === 3, 'both ACKs');
  const known = feed.current();
  assert.ok(known !== 'unknown');
  assert.deepEqual([...known.keys()], ['web']);
  assert.equal(known.get('web')?.version, 'b');
  assert.deepEqual(known.get('web')?.aliases, ['spiffe://shop.example/web']);
  assert.equal(changes, 2);
});

test('after a broken stream the state stays and the next stream says what is known', async (t) => {
  const { feed, requests, streams, log } = await scriptedServer(t);
  await until(() => streams.length === 1, 'the stream');
  await streams[0]?.send({ type_url: typeUrl, nonce: 'n1', resources: [policy('web', 'a')] });
  await until(() => requests.length === 2, 'the ACK');
  streams[0]?.end();
  await until(() => streams.length === 2 && requests.length === 3, 'the second stream');
  assert.deepEqual(requests[2]?.initial_resource_versions, { web: 'a' });
  const known = feed.current();
  assert.deepEqual(known !== 'unknown' && [...known.keys()], ['web']);
  assert.equal(log.lines.filter(({ level }) => level === 'warn').length, 1);
});

test('a response that is refused is answered with a NACK and changes nothing', async (t) => {
  const { feed, requests, streams } = await scriptedServer(t, (resource) => {
    if (resource.name === 'bad') throw fault('IDN0102', { id: 'bad' });
  });
  await until(() => streams.length === 1, 'the stream');
  await streams[0]?.send({ type_url: typeUrl, nonce: 'n1', resources: [policy('web', 'a')] });
  await streams[0]?.send({
    type_url: typeUrl,
    nonce: 'n2',
    resources: [policy('web', 'b'), policy('bad', 'a')],
  });
  await until(() => requests.length === 3, 'the NACK');
  assert.equal(requests[2]?.response_nonce, 'n2');
  assert.match(requests[2]?.error_detail?.message ?? '', /trust domain/);
  const known = feed.current();
  assert.deepEqual(known !== 'unknown' && [...known.values()].map(({ version }) => version), ['a']);
});

test('what comes in several parts shows when all of it is here, also when the stream breaks in between', async (t) => {
  const { feed, requests, streams } = await scriptedServer(t);
  await until(() => streams.length === 1, 'the stream');
  await streams[0]?.send({ type_url: typeUrl, nonce: 'n1.more', resources: [policy('web', 'a')] });
  await until(() => requests.length === 2, 'the ACK');
  assert.equal(feed.current(), 'unknown');
  assert.equal(feed.isLive(), false);
  streams[0]?.end();
  await until(() => streams.length === 2 && requests.length === 3, 'the second stream');
  assert.deepEqual(requests[2]?.initial_resource_versions, { web: 'a' });
  await streams[1]?.send({ type_url: typeUrl, nonce: 'n2', resources: [policy('orders', 'a')] });
  await until(() => feed.isLive(), 'the last part');
  const known = feed.current();
  assert.deepEqual(known !== 'unknown' && [...known.keys()], ['web', 'orders']);
});

test('a feed is live while its stream is open, and goes on over a new one at once when it is told to', async (t) => {
  const { feed, requests, streams, log } = await scriptedServer(t);
  const seen: boolean[] = [];
  feed.onChange(() => seen.push(feed.isLive()));
  await until(() => streams.length === 1, 'the stream');
  await streams[0]?.send({ type_url: typeUrl, nonce: 'n1', resources: [policy('web', 'a')] });
  await until(() => requests.length === 2, 'the ACK');
  feed.reopen();
  await until(() => streams.length === 2, 'the second stream');
  await streams[1]?.send({ type_url: typeUrl, nonce: 'n2' });
  await until(() => seen.length === 3, 'the third change');
  assert.deepEqual(seen, [true, false, true]);
  assert.deepEqual(log.lines, []);
});
