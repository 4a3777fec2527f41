import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isFault } from '../base/faults/fault.js';
import { canonicalSelectors, checkSelector, formatSelector, parseSelector } from './selector.js';

const selector = fc.record(
  {
    type: fc.string({ minLength: 1 }).filter((type) => !type.includes(':')),
    value: fc.string({ minLength: 1 }),
  },
  { noNullPrototype: true },
);

test('a selector is its type up to the first colon and its value after it, unchanged', () => {
  assert.deepEqual(parseSelector('unix:uid:1000'), { type: 'unix', value: 'uid:1000' });
  assert.deepEqual(parseSelector('unix:path: /a b'), { type: 'unix', value: 'path: /a b' });
  fc.assert(fc.property(selector, (given) => assert.deepEqual(parseSelector(formatSelector(given)), given)));
});

test('what has no type or no value is refused', () => {
  for (const text of ['', ':', 'unix', 'unix:', ':uid:1000']) {
    assert.throws(
      () => parseSelector(text),
      (error) => isFault(error, 'REG0101'),
    );
  }
  assert.throws(
    () => checkSelector({ type: 'unix:uid', value: '1' }),
    (error) => isFault(error, 'REG0101'),
  );
  assert.throws(
    () => parseSelector(`unix:${'a'.repeat(4092)}`),
    (error) => isFault(error, 'REG0102'),
  );
  for (const value of ['a\0b', 'a\nb', '\ud800']) {
    assert.throws(
      () => parseSelector(`unix:path:${value}`),
      (error) => isFault(error, 'REG0103'),
    );
  }
});

test('two lists have the same canonical form exactly when they are the same set', () => {
  fc.assert(
    fc.property(fc.array(selector), fc.array(selector), (a, b) => {
      const texts = (list: typeof a) => new Set(list.map(formatSelector));
      const same = texts(a).size === texts(b).size && [...texts(a)].every((text) => texts(b).has(text));
      assert.equal(JSON.stringify(canonicalSelectors(a)) === JSON.stringify(canonicalSelectors(b)), same);
      assert.deepEqual(canonicalSelectors([...a, ...a].reverse()), canonicalSelectors(a));
    }),
  );
});
