import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FairQueue, fairQueue, type Lane } from './queue.js';

interface Named {
  name: string;
  size: number;
  lane: Lane;
}

const batch = (...names: string[]): Named[] => names.map((name) => ({ name, size: 4, lane: 'batch' }));
const small = (name: string, size = 1): Named[] => [{ name, size, lane: 'small' }];

function drained(queue: FairQueue<Named>, lane: Lane, together = (_: Named, __: Named) => false): string {
  const taken: string[] = [];
  while (queue.has(lane)) {
    const pieces = queue.next(lane, together);
    taken.push(pieces.map(({ name }) => name).join('+'));
  }
  return taken.join(' ');
}

test('batches take turns piece by piece', () => {
  const queue = fairQueue<Named>(4);
  queue.add(batch('a1', 'a2', 'a3'));
  queue.add(batch('b1', 'b2'));
  queue.add([]);
  assert.equal(drained(queue, 'batch'), 'a1 b1 a2 b2 a3');
  assert.deepEqual(
    queue.next('batch', () => true),
    [],
  );
});

test('small calls and batches wait apart from each other', () => {
  const queue = fairQueue<Named>(4);
  queue.add(batch('a1', 'a2'));
  for (const name of ['s1', 's2']) queue.add(small(name));
  assert.equal(drained(queue, 'small'), 's1 s2');
  assert.equal(drained(queue, 'batch'), 'a1 a2');
});

test('what is put back is next, and alone', () => {
  const queue = fairQueue<Named>(4);
  queue.add(small('s'));
  queue.add(batch('a'));
  for (const piece of [...small('again'), ...batch('of a batch')]) queue.putBack(piece);
  assert.equal(
    drained(queue, 'small', () => true),
    'again s',
  );
  assert.equal(drained(queue, 'batch'), 'of a batch a');
});

test('small calls that may go together do, up to a turn', () => {
  const queue = fairQueue<Named>(4);
  for (const name of ['s1', 's2', 's3', 's4', 's5']) queue.add(small(name));
  queue.add(small('three', 3));
  queue.add(small('other'));
  queue.add(small('s6'));
  const together = (head: Named, { name }: Named) => (head.name === 'other') === (name === 'other');
  assert.equal(drained(queue, 'small', together), 's1+s2+s3+s4 s5+three other s6');
});
