import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createListeners } from './listeners.js';

test('who listens hears every change until it stops, and one that comes meanwhile the next one', () => {
  const { onChange, tell } = createListeners<[number]>();
  const heard: string[] = [];
  tell(0);
  const stop = onChange((news) => heard.push(`first ${news}`));
  const stopSecond = onChange((news) => {
    stopSecond();
    onChange((later) => heard.push(`third ${later}`));
    heard.push(`second ${news}`);
  });
  tell(1);
  tell(2);
  stop();
  tell(3);
  assert.deepEqual(heard, ['first 1', 'second 1', 'first 2', 'third 2', 'third 3']);
});
