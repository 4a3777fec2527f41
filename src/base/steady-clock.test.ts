import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watchClock } from './steady-clock.js';

function setUp() {
  const times = { now: 1_700_000_000_000, uptime: 5000 };
  const read = watchClock({ now: () => times.now }, () => times.uptime);
  return {
    read,
    pass: (ms: number) => {
      times.now += ms;
      times.uptime += ms;
    },
    set: (ms: number) => {
      times.now += ms;
    },
  };
}

test('S37: a clock that goes as fast as time does is steady for as long as it is watched, however seldom it is read', () => {
  const { read, pass } = setUp();
  assert.deepEqual(read(), { now: 1_700_000_000_000, steadyMs: 0, jumpMs: 0 });
  pass(3_600_000);
  assert.deepEqual(read(), { now: 1_700_003_600_000, steadyMs: 3_600_000, jumpMs: 0 });
});

test('S37: a jump forward or back is seen once, and the clock has to prove itself anew', () => {
  const { read, pass, set } = setUp();
  for (const jump of [86_400_000, -86_400_000, 10_001, -10_001]) {
    pass(60_000);
    set(jump);
    const { steadyMs, jumpMs } = read();
    assert.deepEqual([steadyMs, jumpMs], [0, jump]);
    pass(1000);
    const { steadyMs: since, jumpMs: again } = read();
    assert.deepEqual([since, again], [1000, 0]);
  }
});

test('a correction by some seconds is no jump', () => {
  const { read, set } = setUp();
  set(10_000);
  assert.equal(read().jumpMs, 0);
  set(-9000);
  assert.equal(read().jumpMs, 0);
});
