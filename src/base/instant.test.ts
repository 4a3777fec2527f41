import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instantAt, parseInstant } from './instant.js';

test('a date means its first second in UTC, an instant is taken to the second', () => {
  assert.deepEqual(parseInstant('2027-01-31'), { ms: 1801353600000, text: '2027-01-31T00:00:00Z' });
  assert.deepEqual(parseInstant('2028-02-29T23:59:59Z'), { ms: 1835481599000, text: '2028-02-29T23:59:59Z' });
  assert.deepEqual(instantAt(1801353600999), { ms: 1801353600000, text: '2027-01-31T00:00:00Z' });
});

test('what no calendar or clock has shown, and other forms, are no instants', () => {
  const others = [
    '2027-02-29',
    '2027-02-30',
    '2027-13-01',
    '2027-00-01',
    '2027-01-00',
    '2027-1-1',
    '27-01-01',
    '02027-01-01',
    '+002027-01-01',
    '2027-01-01T24:00:00Z',
    '2027-01-01T23:59:60Z',
    '2027-01-01T23:60:00Z',
    '2027-01-01T00:00:00',
    '2027-01-01T00:00:00+00:00',
    '2027-01-01T00:00:00.000Z',
    '2027-01-01 00:00:00Z',
    '2027-01-01t00:00:00z',
    '2027-01-01Z',
    ' 2027-01-01',
    '2027-01-01\n',
    '',
    'tomorrow',
    '1801353600',
  ];
  for (const text of others) assert.equal(parseInstant(text), undefined, text);
});
