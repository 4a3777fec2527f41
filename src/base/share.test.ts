import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shared } from './share.js';

test('who asks while an answer is under way gets that one, who asks afterwards another, also after a failure', async () => {
  const asked: string[] = [];
  const ask = shared(async (key: string, word: string) => {
    asked.push(`${key} ${word}`);
    if (word === 'bad') throw new Error(key);
    return word;
  });
  assert.deepEqual(await Promise.all([ask('a', 'one'), ask('a', 'two'), ask('b', 'three')]), [
    'one',
    'one',
    'three',
  ]);
  await Promise.all([ask('a', 'bad'), ask('a', 'four')].map((each) => assert.rejects(each, /^Error: a$/)));
  assert.equal(await ask('a', 'five'), 'five');
  assert.deepEqual(asked, ['a one', 'b three', 'a bad', 'a five']);
});
