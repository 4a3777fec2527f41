import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mostSimilar } from './similar.js';

test('the candidate that was meant is found, and none where nothing is near', () => {
  const names = ['orders', 'order-history', 'web', 'webhooks'];
  const cases: [string, string | undefined][] = [
    ['oders', 'orders'],
    ['Orders', 'orders'],
    ['ordesr', 'orders'],
    ['ordersss', 'orders'],
    ['wbe', 'web'],
    ['payments', undefined],
    ['x', undefined],
    ['', undefined],
  ];
  for (const [text, expected] of cases) assert.equal(mostSimilar(text, names), expected, text);
});
