import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '../telemetry/log.js';
import { keepUp } from './maintenance.js';

test('a chore that fails is tried again, logged once, and does not keep the others from their turn', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const lines: string[] = [];
  const log = {
    ...silentLog,
    error: (_: unknown, sentence: string) => void lines.push(sentence),
    info: (_: unknown, sentence: string) => void lines.push(sentence),
  };
  let broken = true;
  const runs = { first: 0, second: 0 };
  const chores = [
    {
      name: 'first',
      run: () => {
        runs.first++;
        if (broken) throw new Error('not now');
      },
    },
    { name: 'second', run: async () => void runs.second++ },
  ];
  const stop = keepUp(chores, log);
  t.mock.timers.tick(3000);
  await stop();
  assert.deepEqual(runs, { first: 3, second: 3 });
  assert.deepEqual(lines, ['a chore failed and will be tried again']);
  broken = false;
  const stopAgain = keepUp(chores, log);
  t.mock.timers.tick(1000);
  await stopAgain();
  assert.deepEqual(runs, { first: 4, second: 4 });
});
