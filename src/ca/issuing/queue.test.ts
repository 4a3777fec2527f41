import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fairQueue } from './queue.js';

const piece = (name: string, size = 4) => ({ name, size });

function drained(queue: ReturnType<typeof fairQueue<{ name: string; size: number }>>, most = 100): string {
  const names: string[] = [];
  for (let next = queue.next(); next && names.length < most; next = queue.next()) names.push(next.name);
  return names.join(' ');
}

test('batches take turns, piece by piece', () => {
  const queue = fairQueue<ReturnType<typeof piece>>(4);
  queue.add([piece('a1'), piece('a2'), piece('a3')], false);
  queue.add([piece('b1'), piece('b2')], false);
  assert.equal(queue.isEmpty, false);
  assert.equal(drained(queue), 'a1 b1 a2 b2 a3');
  assert.equal(queue.isEmpty, true);
});

test('small calls go first, and keep batches waiting for a turn at most', () => {
  const queue = fairQueue<ReturnType<typeof piece>>(4);
  queue.add([piece('a1'), piece('a2')], false);
  queue.add([], false);
  for (const name of ['s1', 's2', 's3', 's4', 's5', 's6']) queue.add([piece(name, 1)], true);
  assert.equal(drained(queue), 's1 s2 s3 s4 a1 s5 s6 a2');
});

test('what is put back is next', () => {
  const queue = fairQueue<ReturnType<typeof piece>>(4);
  queue.add([piece('s', 1)], true);
  queue.putBack(piece('again'));
  assert.equal(drained(queue), 'again s');
});
