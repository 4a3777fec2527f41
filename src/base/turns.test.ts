import assert from 'node:assert/strict';
import { test } from 'node:test';
import { takingTurns } from './turns.js';

test('work is done in the order in which it was asked for, and what fails holds nothing up', async () => {
  const inTurn = takingTurns();
  const done: number[] = [];
  const work = (number: number, fails = false) =>
    inTurn(async () => {
      await new Promise(setImmediate);
      done.push(number);
      if (fails) throw new Error(`${number}`);
      return number;
    });
  const outcomes = await Promise.allSettled([work(1), work(2, true), work(3)]);
  assert.deepEqual(done, [1, 2, 3]);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
});
