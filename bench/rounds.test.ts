import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byTurns, medians, quantile } from './rounds.js';

test('subjects take turns, and the median of each figure counts', async () => {
  const turns: string[] = [];
  const next = { a: [1, 9, 2], b: [5, 5, 7] };
  const subject = (name: 'a' | 'b') => async () => {
    turns.push(name);
    return { x_ms: next[name].shift() ?? NaN };
  };
  const result = await byTurns({ rounds: 3, note: () => {} }, { a: subject('a'), b: subject('b') });
  assert.deepEqual(turns, ['a', 'b', 'a', 'b', 'a', 'b']);
  assert.deepEqual(result, { a: { x_ms: 2 }, b: { x_ms: 5 } });
});

test('medians are by figure, quantiles lie between values', () => {
  assert.deepEqual(
    medians([
      { a: 1, b: 4 },
      { a: 3, b: 2 },
    ]),
    { a: 2, b: 3 },
  );
  assert.equal(quantile([40, 10, 20, 30], 1), 40);
  assert.equal(quantile([10, 20], 0.75), 17.5);
  assert.ok(Number.isNaN(quantile([], 0.5)));
});
