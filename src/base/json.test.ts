import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Json, MalformedJson, parseJson } from './json.js';

/** As `JSON.parse` would give it, as far as it can. */
function plain(json: Json): unknown {
  if (typeof json === 'bigint') return Number(json);
  if (Array.isArray(json)) return json.map(plain);
  if (json instanceof Map)
    return Object.fromEntries([...json].map(([name, member]) => [name, plain(member)]));
  return json;
}

test('apart from large integers it reads what JSON.parse reads', () => {
  const value = fc.json({ maxDepth: 3 });
  const property = fc.property(value, fc.constantFrom(0, 2, '\t'), (compact, space) => {
    const text = JSON.stringify(JSON.parse(compact), null, space);
    assert.deepEqual(plain(parseJson(text)), JSON.parse(text));
  });
  fc.assert(property);
});

test('integers keep every digit, and other numbers are numbers', () => {
  const property = fc.property(fc.bigInt(), (integer) => {
    assert.deepEqual(parseJson(`[${integer}]`), [integer]);
  });
  fc.assert(property);
  assert.deepEqual(parseJson('[-0, 1.5, 1e3, -2E-1]'), [0n, 1.5, 1000, -0.2]);
});

test('a member that occurs twice in one object is refused, however it is written', () => {
  for (const text of [
    '{"a":1,"a":1}',
    '{"a":1,"b":{"x":1},"\\u0061":2}',
    '[{"":1,"":2}]',
    '{"x":{"a":1,"a":2}}',
  ]) {
    assert.throws(() => parseJson(text), MalformedJson);
  }
  assert.ok(parseJson('{"a":{"a":1},"b":{"a":2}}') instanceof Map);
});

test('what JSON.parse refuses is refused', () => {
  for (const text of ['', '{', '{"a":1,}', '[1 2]', 'nul', '01', "{'a':1}", '{"a":1}x', '"\n"', '[1]//']) {
    assert.throws(() => parseJson(text), MalformedJson);
  }
});

test('text in strings is not taken for structure', () => {
  const text = '{"a\\"}{,:":"[1,2]\\\\","b":"\\\\\\"","c":["}","{"]}';
  assert.deepEqual(plain(parseJson(text)), JSON.parse(text));
});

test('depth and length are no danger: too deep is refused, and long strings are read', () => {
  for (const depth of [102, 500_000]) {
    assert.throws(() => parseJson('['.repeat(depth) + ']'.repeat(depth)), MalformedJson);
  }
  assert.ok(parseJson('['.repeat(100) + ']'.repeat(100)));
  const long = `${'a'.repeat(1_000_000)}${'\\n'.repeat(1_000_000)}`;
  assert.equal(parseJson(`"${long}"`), JSON.parse(`"${long}"`));
});
