import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson } from './json.js';
import { jsonAt, listAt, textAt, textsAt } from './json-path.js';

const value = parseJson('{"a":{"b":"text","c":[1,"x"],"d":{"k":"v","n":1}},"constructor":"own"}');

test('what lies below a place is found, and what is not there is nothing', () => {
  assert.equal(textAt(value, 'a', 'b'), 'text');
  assert.equal(textAt(value, 'a', 'c'), '');
  assert.equal(textAt(value, 'a', 'b', 'length'), '');
  assert.equal(jsonAt(value, 'a', '__proto__'), undefined);
  assert.equal(textAt(value, 'constructor'), 'own');
  assert.deepEqual(listAt(value, 'a', 'c'), [1n, 'x']);
  assert.deepEqual(listAt(value, 'a', 'd'), []);
  assert.deepEqual(textsAt(value, 'a', 'd'), [['k', 'v']]);
  assert.deepEqual(textsAt(undefined, 'a'), []);
});
