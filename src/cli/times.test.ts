import assert from 'node:assert/strict';
import { test } from 'node:test';
import { duration, fromNow, instant, timeAndDistance } from './times.js';

test('a time is RFC 3339 in whole seconds, and none is none', () => {
  assert.equal(instant('1801353600'), '2027-01-31T00:00:00Z');
  assert.equal(instant(0), null);
  assert.equal(instant(undefined), null);
  assert.equal(instant('9223372036854775807'), '9223372036854775807');
});

test('a duration has its two largest units', () => {
  assert.deepEqual([0, 41, 60, 3661, 86_400, 90_061, 200_000].map(duration), [
    '0s',
    '41s',
    '1m',
    '1h1m',
    '1d',
    '1d1h',
    '2d7h',
  ]);
});

test('a distance says on which side of now it lies', () => {
  assert.equal(fromNow(100, 59_000), 'in 41s');
  assert.equal(fromNow(100, 161_000), '1m1s ago');
  assert.equal(timeAndDistance(1801353600, 1801353600_000), '2027-01-31T00:00:00Z (in 0s)');
  assert.equal(timeAndDistance('0', 0), 'never');
});
