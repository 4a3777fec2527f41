import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { deltaClient, sotwClient, textSource, textTypeUrl } from '../../test/support/xds-model.js';
import { silentLog } from '../telemetry/log.js';
import { readDeltaRequest, readRequest } from './request.js';
import type { Protocol } from './response.js';
import type { XdsEvent } from './source.js';
import { openStream } from './stream.js';

/** A stream and a model client with a queue in each direction, which the test empties in any order. */
function connect(protocol: Protocol, saysTouched: boolean) {
  const source = textSource(textTypeUrl, saysTouched);
  const client = protocol === 'delta' ? deltaClient() : sotwClient();
  const toClient: Buffer[] = [];
  const toServer: { bytes: Buffer; isAnswer: boolean }[] = [];
  const events: XdsEvent<string>[] = [];
  const waiting = new Set<() => void>();
  const count = { frames: 0, unanswered: 0 };
  const stream = openStream<string>({
    protocol,
    onlyType: textTypeUrl,
    sources: new Map([[textTypeUrl, source]]),
    identity: 'somebody',
    isAlive: () => true,
    onEvent: (event) => events.push(event),
    send(frame) {
      count.frames++;
      assert.equal(++count.unanswered, 1, 'a response was sent while another waited for its answer');
      toClient.push(frame);
    },
    fail: assert.ifError,
    soon: (flush) => waiting.add(flush),
    log: silentLog,
  });
  const steps = {
    want: (names: readonly string[], everything = false) =>
      void toServer.push({ bytes: client.want(names, everything), isAnswer: false }),
    look() {
      const flushes = [...waiting];
      waiting.clear();
      for (const flush of flushes) flush();
    },
    clientReads() {
      const frame = toClient.shift();
      if (frame) toServer.push({ bytes: client.handle(frame), isAnswer: true });
    },
    serverReads() {
      const request = toServer.shift();
      if (!request) return;
      if (request.isAnswer) count.unanswered--;
      stream.receive((protocol === 'delta' ? readDeltaRequest : readRequest)(request.bytes));
    },
    settle() {
      for (let round = 0; waiting.size + toClient.length + toServer.length > 0; round++) {
        assert.ok(round < 1000, 'they never come to rest');
        steps.look();
        steps.clientReads();
        steps.serverReads();
      }
    },
  };
  return { source, client, events, count, ...steps };
}

type World = ReturnType<typeof connect>;

const protocols: Protocol[] = ['delta', 'sotw'];
const names = ['a', 'b', 'c', 'd'];

const texts = ['1', '2', '3', 'bad1', 'bad2', 'unknown', 'absent'];

/** What may happen next, as data, so that a counterexample can be read. */
const step = fc.oneof(
  fc.record({ set: fc.constantFrom(...names), to: fc.constantFrom(...texts) }),
  fc.record({ want: fc.subarray(names), everything: fc.boolean() }),
  fc.record({ synced: fc.boolean() }),
  { weight: 3, arbitrary: fc.constantFrom('clientReads' as const, 'serverReads' as const, 'look' as const) },
);

type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

function take(world: World, next: Step): void {
  if (typeof next === 'string') world[next]();
  else if ('set' in next) world.source.set(next.set, next.to);
  else if ('want' in next) world.want(next.want, next.everything);
  else world.source.sync(next.synced);
}

for (const [protocol, saysTouched] of protocols.flatMap((one) => [
  [one, false] as const,
  [one, true] as const,
])) {
  const source = saysTouched ? 'a source that says what it touched' : 'a source';
  test(`${protocol}: whatever happened, the client ends with what ${source} says, one response at a time`, () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 120, size: 'max' }), (history) => {
        const world = connect(protocol, saysTouched);
        world.want([], true);
        for (const next of history) take(world, next);
        world.source.sync(true);
        world.settle();
        agrees(world, protocol);
        const { frames } = world.count;
        world.source.touch();
        world.settle();
        assert.equal(world.count.frames, frames, 'something was sent again that had not changed');
      }),
      { numRuns: 1000 },
    );
  });
}

function agrees({ source, client }: World, protocol: Protocol): void {
  const { wants, holds } = client;
  for (const name of names) {
    const answer = source.answer(name);
    const held = holds.get(name);
    assert.doesNotMatch(held ?? '', /^bad/);
    if (!wants.everything && !wants.names.has(name)) assert.equal(held, undefined, `${name} is not wanted`);
    else if (answer === 'absent') {
      // State of the world cannot take back what was asked for by name.
      if (protocol === 'delta' || wants.everything) assert.equal(held, undefined, `${name} is absent`);
    } else if (answer !== 'unknown') {
      const text = source.text(name);
      if (!text.startsWith('bad')) assert.equal(held, text, name);
    }
  }
}
