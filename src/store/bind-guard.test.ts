import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guarded } from './bind-guard.js';
import type { SqlValue } from './unit.js';

test('texts, whole numbers and NULL pass, numbers as 64-bit integers', () => {
  assert.deepEqual(guarded(['select ?, ?, ?, ?', ['ä"\'', 7, -(2n ** 63n), null]]), [
    'ä"\'',
    7n,
    -(2n ** 63n),
    null,
  ]);
});

const refused: [string, unknown][] = [
  ['true', true],
  ['a Buffer', Buffer.from('x')],
  ['a Date', new Date()],
  ['undefined', undefined],
  ['half a number', 0.5],
  ['a number that is not exact', 2 ** 53],
  ['NaN', Number.NaN],
  ['65 bits', 2n ** 63n],
  ['NUL', 'a\0b'],
  ['half a character', '\ud800'],
  ['an object', {}],
];
for (const [what, value] of refused) {
  test(`refused before it reaches libsql: ${what}`, () => {
    // What the compiler would not let through is exactly what this guards against.
    assert.throws(() => guarded(['select ?', [value as SqlValue]]), TypeError);
  });
}

test('too few and too many arguments are refused, a hole too', () => {
  assert.throws(() => guarded(['select ?, ?', ['a']]), TypeError);
  assert.throws(() => guarded(['select ?', ['a', 'b']]), TypeError);
  assert.throws(() => guarded(['select ?', new Array<SqlValue>(1)]), TypeError);
});
