import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FairQueue, fairQueue } from './queue.js';

interface Named {
  name: string;
  size: number;
}

const piece = (name: string, size = 4): Named => ({ name, size });

function drained(queue: FairQueue<Named>, together = (_: Named, __: Named) => false): string {
  const names: string[] = [];
  while (!queue.isEmpty)
    names.push(
      queue
        .next(together)
        .map(({ name }) => name)
        .join('+'),
    );
  return names.join(' ');
}

test('batches take turns, piece by piece', () => {
  const queue = fairQueue<Named>(4);
  queue.add([piece('a1'), piece('a2'), piece('a3')], false);
  queue.add([piece('b1'), piece('b2')], false);
  assert.equal(queue.isEmpty, false);
  assert.equal(drained(queue), 'a1 b1 a2 b2 a3');
  assert.equal(queue.isEmpty, true);
});

test('small calls go first, and keep batches waiting for a turn at most', () => {
  const queue = fairQueue<Named>(4);
  queue.add([piece('a1'), piece('a2')], false);
  queue.add([], false);
  for (const name of ['s1', 's2', 's3', 's4', 's5', 's6']) queue.add([piece(name, 1)], true);
  assert.equal(drained(queue), 's1 s2 s3 s4 a1 s5 s6 a2');
});

test('what is put back is next', () => {
  const queue = fairQueue<Named>(4);
  queue.add([piece('s', 1)], true);
  queue.putBack(piece('again'));
  assert.equal(drained(queue), 'again s');
});

test('small calls that may go together do, up to a turn', () => {
  const queue = fairQueue<Named>(4);
  queue.add([piece('a1')], false);
  for (const name of ['s1', 's2', 's3', 's4', 's5']) queue.add([piece(name, 1)], true);
  queue.add([piece('three', 3)], true);
  queue.add([piece('other', 1)], true);
  queue.add([piece('s6', 1)], true);
  const together = (head: Named, { name }: Named) => (head.name === 'other') === (name === 'other');
  assert.equal(drained(queue, together), 's1+s2+s3+s4 a1 s5+three other s6');
});
