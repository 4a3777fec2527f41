import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tally } from './tally.js';

test('each counts until it is taken back, which it can be once', () => {
  const open = tally<string>();
  const counts = () => [open.of('a'), open.of('b'), open.total()];
  const [first, , other] = [open.add('a'), open.add('a'), open.add('b')];
  assert.deepEqual(counts(), [2, 1, 3]);
  first();
  first();
  assert.deepEqual(counts(), [1, 1, 2]);
  other();
  assert.deepEqual(counts(), [1, 0, 1]);
});
