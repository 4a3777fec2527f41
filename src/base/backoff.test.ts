import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoffMs } from './backoff.js';

test('each wait is twice the one before it, up to the longest, less up to a half', () => {
  const backoff = { firstMs: 100, maxMs: 500 };
  const waits = [1, 2, 3, 4, 5000].map((failures) =>
    [0, 1].map((random) => backoffMs(backoff, failures, random)),
  );
  assert.deepEqual(waits, [
    [50, 100],
    [100, 200],
    [200, 400],
    [250, 500],
    [250, 500],
  ]);
});
