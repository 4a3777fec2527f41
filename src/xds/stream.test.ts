import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordingLog } from '../../test/support/log.js';
import { textOf, textResource, textSource, textTypeUrl } from '../../test/support/xds-model.js';
import { isFault } from '../base/faults/fault.js';
import { decode, encode } from '../wire/messages.js';
import { readDeltaRequest, readRequest } from './request.js';
import type { XdsEvent } from './source.js';
import { openStream } from './stream.js';

interface Said {
  texts: Record<string, string>;
  removed: string[];
  version: string;
  nonce: string;
}

/** A conversation, request by request; `said` are the responses that were not looked at yet. */
function converse(protocol: 'delta' | 'sotw', options: { onlyType?: string | undefined } = {}) {
  const source = textSource();
  const said: Said[] = [];
  const events: XdsEvent<string>[] = [];
  const alive = { is: true };
  const failures: unknown[] = [];
  const waiting = new Set<() => void>();
  const response = protocol === 'delta' ? readDelta : readSotw;
  const stream = openStream<string>({
    protocol,
    onlyType: 'onlyType' in options ? options.onlyType : textTypeUrl,
    sources: new Map([[textTypeUrl, source]]),
    identity: 'somebody',
    isAlive: () => alive.is,
    onEvent: (event) => events.push(event),
    send: (frame) => void said.push(response(frame)),
    fail: (error) => void failures.push(error),
    soon: (flush) => waiting.add(flush),
    log: recordingLog(),
  });
  const ask = (fields: object) => {
    const name = protocol === 'delta' ? 'DeltaDiscoveryRequest' : 'DiscoveryRequest';
    const bytes = encode(`envoy.service.discovery.v3.${name}`, { type_url: textTypeUrl, ...fields });
    stream.receive((protocol === 'delta' ? readDeltaRequest : readRequest)(bytes));
  };
  const look = () => {
    for (const flush of waiting) flush();
    waiting.clear();
  };
  const set = (name: string, text: string) => {
    source.set(name, text);
    look();
  };
  const next = (): Said => {
    const [response] = said.splice(0, 1);
    assert.ok(response, 'nothing was sent');
    return response;
  };
  const silence = () => assert.deepEqual(said, []);
  return { source, stream, said, events, alive, failures, ask, look, set, next, silence };
}

function readDelta(frame: Buffer): Said {
  const response = decode('envoy.service.discovery.v3.DeltaDiscoveryResponse', frame);
  assert.equal(response.type_url, textTypeUrl);
  return {
    texts: Object.fromEntries((response.resources ?? []).map(({ resource }) => textOf(resource))),
    removed: response.removed_resources ?? [],
    version: response.system_version_info ?? '',
    nonce: response.nonce ?? '',
  };
}

function readSotw(frame: Buffer): Said {
  const response = decode('envoy.service.discovery.v3.DiscoveryResponse', frame);
  assert.equal(response.type_url, textTypeUrl);
  return {
    texts: Object.fromEntries((response.resources ?? []).map(textOf)),
    removed: [],
    version: response.version_info ?? '',
    nonce: response.nonce ?? '',
  };
}

const refused = { code: 3, message: 'no good' };

test('delta: a named resource is sent with its version, and sent again only when it changed', () => {
  const { ask, set, next, silence, source, look } = converse('delta');
  source.set('a', '1');
  ask({ resource_names_subscribe: ['a'] });
  const { texts, version, nonce } = next();
  assert.deepEqual([texts, version], [{ a: '1' }, textResource('a', '1').version]);
  ask({ response_nonce: nonce });
  source.touch();
  look();
  silence();
  set('a', '2');
  assert.deepEqual(next().texts, { a: '2' });
});

test('delta: names are sent one by one, so that a refusal says which one', () => {
  const { ask, next, silence, source, events } = converse('delta');
  source.set('a', '1');
  source.set('b', '1');
  ask({ resource_names_subscribe: ['a', 'b'] });
  const first = next();
  assert.deepEqual(first.texts, { a: '1' });
  silence();
  ask({ response_nonce: first.nonce, error_detail: refused });
  const second = next();
  assert.deepEqual(second.texts, { b: '1' });
  ask({ response_nonce: second.nonce });
  assert.deepEqual(
    events.map(({ kind, names }) => [kind, ...names]),
    [
      ['nack', 'a'],
      ['ack', 'b'],
    ],
  );
});

test('the newest state wins while a response waits for its answer', () => {
  const { ask, set, next, silence } = converse('delta');
  set('a', '1');
  ask({ resource_names_subscribe: ['a'] });
  const first = next();
  for (const text of ['2', '3', '4']) set('a', text);
  silence();
  ask({ response_nonce: first.nonce });
  assert.deepEqual(next().texts, { a: '4' });
});

test('delta: a name that is absent is told as removed once, an unknown one not at all', () => {
  const { ask, set, next, silence } = converse('delta');
  set('b', 'unknown');
  ask({ resource_names_subscribe: ['a', 'b'] });
  const response = next();
  assert.deepEqual([response.texts, response.removed], [{}, ['a']]);
  ask({ response_nonce: response.nonce });
  silence();
  set('a', '1');
  assert.deepEqual(next().texts, { a: '1' }, 'served the moment it appears');
});

test('delta: what the client kept from an earlier stream is not sent again, what is gone is removed', () => {
  const { ask, next, silence, source } = converse('delta');
  source.set('a', '1');
  source.set('b', '2');
  ask({
    resource_names_subscribe: ['*'],
    initial_resource_versions: {
      a: textResource('a', '1').version,
      b: textResource('b', '1').version,
      c: 'x',
    },
  });
  const first = next();
  assert.deepEqual(first.texts, { b: '2' });
  ask({ response_nonce: first.nonce });
  assert.deepEqual(next().removed, ['c']);
  silence();
});

test('delta: a client that wants everything hears at once that it has everything', () => {
  const { ask, next, source } = converse('delta');
  source.set('a', '1');
  ask({ initial_resource_versions: { a: textResource('a', '1').version } });
  const first = next();
  assert.deepEqual([first.texts, first.removed], [{}, []]);
});

test('delta: before the first sync a client that wants everything hears nothing', () => {
  const { ask, next, silence, source, look } = converse('delta');
  source.sync(false);
  ask({ initial_resource_versions: { a: 'x' } });
  silence();
  source.sync(true);
  look();
  assert.deepEqual(next().removed, ['a']);
});

test('delta: a name that is subscribed to again is sent again', () => {
  const { ask, set, next } = converse('delta');
  set('a', '1');
  ask({ resource_names_subscribe: ['a'] });
  const first = next();
  ask({ response_nonce: first.nonce });
  ask({ resource_names_subscribe: ['a'] });
  const second = next();
  assert.deepEqual(second.texts, { a: '1' });
  assert.notEqual(second.nonce, first.nonce);
});

test('delta: a name that is subscribed to again while it is on its way is sent once more', () => {
  const { ask, set, next } = converse('delta');
  set('a', '1');
  ask({ resource_names_subscribe: ['a'] });
  const first = next();
  ask({ resource_names_unsubscribe: ['a'] });
  ask({ resource_names_subscribe: ['a'] });
  ask({ response_nonce: first.nonce });
  assert.deepEqual(next().texts, { a: '1' });
});

test('a refused version is parked until the next one, and the last good one is sent again at once', () => {
  for (const protocol of ['delta', 'sotw'] as const) {
    const { ask, set, next, silence, source, look, events } = converse(protocol);
    const names = protocol === 'sotw' ? { resource_names: ['a'] } : {};
    set('a', '1');
    ask(protocol === 'sotw' ? names : { resource_names_subscribe: ['a'] });
    ask({ ...names, response_nonce: next().nonce });
    set('a', '2');
    const bad = next();
    ask({ ...names, response_nonce: bad.nonce, error_detail: refused });
    const again = next();
    assert.deepEqual(again.texts, { a: '1' });
    ask({ ...names, response_nonce: again.nonce });
    source.touch();
    look();
    silence();
    set('a', '3');
    assert.deepEqual(next().texts, { a: '3' });
    const [, nack] = events;
    assert.ok(nack?.kind === 'nack');
    assert.deepEqual([nack.names, nack.version, nack.message], [['a'], bad.version, 'no good']);
  }
});

test('a client that refuses even the last good one is left alone', () => {
  const { ask, set, next, silence } = converse('delta');
  set('a', '1');
  ask({ resource_names_subscribe: ['a'] });
  ask({ response_nonce: next().nonce });
  set('a', '2');
  ask({ response_nonce: next().nonce, error_detail: refused });
  ask({ response_nonce: next().nonce, error_detail: refused });
  silence();
});

test('of a refused batch the good ones arrive and only the culprit is parked', () => {
  for (const protocol of ['delta', 'sotw'] as const) {
    const { ask, next, said, source, events } = converse(protocol);
    for (const name of ['a', 'b', 'c']) source.set(name, '1');
    ask({});
    const held: Record<string, string> = {};
    for (let response: Said | undefined = next(); response; response = said.shift()) {
      const isBad = 'b' in response.texts;
      if (!isBad) Object.assign(held, response.texts);
      ask({ response_nonce: response.nonce, ...(isBad && { error_detail: refused }) });
    }
    assert.deepEqual(held, { a: '1', c: '1' });
    assert.deepEqual(
      events.filter(({ kind }) => kind === 'nack').map(({ names }) => names),
      [['a', 'b', 'c'], ['b']],
    );
  }
});

test('sotw: a response holds everything that was asked for, under one version of it all', () => {
  const { ask, set, next, silence } = converse('sotw');
  set('a', '1');
  set('b', '1');
  ask({ resource_names: ['b', 'a', '', 'a'] });
  const first = next();
  assert.deepEqual(first.texts, { a: '1', b: '1' });
  ask({ resource_names: ['a', 'b'], response_nonce: first.nonce, version_info: first.version });
  silence();
  set('b', '2');
  const second = next();
  assert.deepEqual(second.texts, { a: '1', b: '2' });
  assert.notEqual(second.version, first.version);
});

test('sotw: an unknown name holds nothing back, and is served the moment it appears', () => {
  const { ask, set, next } = converse('sotw');
  set('a', '1');
  ask({ resource_names: ['a', 'b'] });
  const first = next();
  assert.deepEqual(first.texts, { a: '1' });
  ask({ resource_names: ['a', 'b'], response_nonce: first.nonce });
  set('b', '1');
  assert.deepEqual(next().texts, { a: '1', b: '1' });
});

test('sotw: nothing is said about names that do not exist, and what is withdrawn is not sent any more', () => {
  const { ask, set, next, silence } = converse('sotw');
  ask({ resource_names: ['a', 'b'] });
  silence();
  set('a', '1');
  const first = next();
  ask({ resource_names: ['a', 'b'], response_nonce: first.nonce });
  set('a', 'absent');
  silence();
  set('b', '1');
  assert.deepEqual(next().texts, { b: '1' });
});

test('sotw: a request about an older response than the last is ignored, names included', () => {
  const { ask, set, next, silence } = converse('sotw');
  set('a', '1');
  set('b', '1');
  ask({ resource_names: ['a'] });
  const first = next();
  ask({ resource_names: ['a'], response_nonce: first.nonce });
  set('a', '2');
  const second = next();
  ask({ resource_names: ['a', 'b'], response_nonce: first.nonce });
  silence();
  ask({ resource_names: ['a', 'b'], response_nonce: second.nonce });
  assert.deepEqual(next().texts, { a: '2', b: '1' });
});

test('sotw: a client that asks for everything is told when there is nothing left', () => {
  const { ask, set, next } = converse('sotw');
  ask({});
  const nothing = next();
  assert.deepEqual(nothing.texts, {});
  ask({ response_nonce: nothing.nonce });
  set('a', '1');
  ask({ response_nonce: next().nonce });
  set('a', 'absent');
  assert.deepEqual(next().texts, {});
});

test('SDS+8: a stream on behalf of somebody who is gone ends, and sends nothing more', () => {
  const { ask, set, next, silence, alive, failures } = converse('delta');
  set('a', '1');
  ask({ resource_names_subscribe: ['a'] });
  ask({ response_nonce: next().nonce });
  alive.is = false;
  set('a', '2');
  silence();
  assert.ok(isFault(failures[0], 'XDS0104'));
});

test('somebody who is gone is sent nothing that was asked for since', () => {
  const { ask, set, silence, alive } = converse('delta');
  set('a', '1');
  alive.is = false;
  assert.throws(
    () => ask({ resource_names_subscribe: ['a'] }),
    (error) => isFault(error, 'XDS0104'),
  );
  silence();
});

test('a service gives its own type only; an aggregated stream needs a type, and ignores what nobody serves', () => {
  const other = 'type.googleapis.com/google.protobuf.BytesValue';
  const one = converse('delta');
  assert.throws(() => one.ask({ type_url: other }), /`type.*BytesValue` is asked for/);
  one.source.set('a', '1');
  one.ask({ type_url: '', resource_names_subscribe: ['a'] });
  assert.deepEqual(one.next().texts, { a: '1' });
  const all = converse('delta', { onlyType: undefined });
  all.ask({ type_url: other, resource_names_subscribe: ['a'] });
  all.silence();
  assert.throws(
    () => all.ask({ type_url: '' }),
    (error) => isFault(error, 'XDS0101'),
  );
});

test('a client may not ask for names without end', () => {
  const { ask } = converse('delta');
  const names = Array.from({ length: 10_001 }, (_, index) => `n${index}`);
  assert.throws(
    () => ask({ resource_names_subscribe: names }),
    (error) => isFault(error, 'XDS0103'),
  );
});

for (const protocol of ['delta', 'sotw'] as const) {
  test(`a name longer than any resource has is refused before it is kept (${protocol})`, () => {
    const { ask, source } = converse(protocol);
    const long = 'x'.repeat(2049);
    const field = protocol === 'delta' ? 'resource_names_subscribe' : 'resource_names';
    ask({ [field]: [long.slice(1)] });
    const wrong: object[] = [{ [field]: ['a', long] }];
    if (protocol === 'delta') {
      wrong.push({ resource_names_unsubscribe: [long] });
      wrong.push({ initial_resource_versions: { [long]: '1' } }, { initial_resource_versions: { a: long } });
    }
    for (const fields of wrong) {
      assert.throws(
        () => ask(fields),
        (error) => isFault(error, 'XDS0105'),
      );
    }
    assert.equal(source.openViews(), 1);
  });
}

test('of what a client says about a refusal only so much is kept as a log can take', () => {
  const { ask, set, next, events } = converse('delta');
  set('a', '1');
  ask({ resource_names_subscribe: ['a'] });
  ask({ response_nonce: next().nonce, error_detail: { message: 'x'.repeat(1_000_000) } });
  const [event] = events;
  assert.ok(event?.kind === 'nack');
  assert.equal(event.message.length, 4096);
});

test('views are closed with their stream', () => {
  const { ask, stream, source, look } = converse('delta');
  ask({ resource_names_subscribe: ['a'] });
  assert.equal(source.openViews(), 1);
  source.set('a', '1');
  stream.close();
  look();
  assert.equal(source.openViews(), 0);
});

test('events carry the name that the client gave itself', () => {
  const { ask, set, next, events } = converse('delta');
  set('a', '1');
  ask({ node: { id: 'front' }, resource_names_subscribe: ['a'] });
  ask({ response_nonce: next().nonce });
  assert.equal(events[0]?.node, 'front');
});
