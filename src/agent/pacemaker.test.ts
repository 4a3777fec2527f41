import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createPacemaker, type PacemakerOptions } from './pacemaker.js';

/** Time that passes only when the test says so: the delays that were asked for, one by one. */
function setUp(t: TestContext, options: Partial<PacemakerOptions> = {}) {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_800_000_000_000 });
  let beats = 0;
  const failures: unknown[] = [];
  const pacemaker = createPacemaker({
    beat: async () => {
      beats++;
    },
    failed: (error) => failures.push(error),
    intervalMs: () => 5000,
    nextDue: () => Infinity,
    clock: { now: () => Date.now() },
    random: () => 0.5,
    ...options,
  });
  t.after(() => pacemaker.stop());
  return { pacemaker, beats: () => beats, failures };
}

/** Lets what is ready run, without moving the time. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
}

async function pass(t: TestContext, ms: number): Promise<void> {
  t.mock.timers.tick(ms);
  await settle();
}

test('a round comes at once and then after every interval', async (t) => {
  const { beats } = setUp(t);
  await settle();
  assert.equal(beats(), 1);
  await pass(t, 4999);
  assert.equal(beats(), 1);
  await pass(t, 1);
  assert.equal(beats(), 2);
});

test('what falls due sooner gets a round of its own, what is overdue does not make it spin', async (t) => {
  let due = Date.now();
  const { beats } = setUp(t, { nextDue: () => due });
  due = Date.now() + 1000;
  await settle();
  await pass(t, 1000);
  assert.equal(beats(), 2);
  await pass(t, 4999);
  assert.equal(beats(), 2);
  await pass(t, 1);
  assert.equal(beats(), 3);
});

test('failures are tried again after 250 ms and twice as long each time, up to 30 s', async (t) => {
  let tries = 0;
  const away = new Error('away');
  const { failures } = setUp(t, {
    random: () => 1,
    beat: () => {
      tries++;
      return Promise.reject(away);
    },
  });
  await settle();
  for (const wait of [250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
    const before = tries;
    await pass(t, wait - 1);
    assert.equal(tries, before);
    await pass(t, 1);
    assert.equal(tries, before + 1);
  }
  assert.ok(failures.every((error) => error === away));
});

test('after a success the wait is the regular one again', async (t) => {
  let away = true;
  let tries = 0;
  setUp(t, {
    beat: async () => {
      tries++;
      if (away) throw new Error('away');
    },
  });
  await settle();
  away = false;
  await pass(t, 250);
  assert.equal(tries, 2);
  await pass(t, 4999);
  assert.equal(tries, 2);
});

test('a round can be had at once, also right after the one that is running', async (t) => {
  let finish: () => void = () => undefined;
  let started = 0;
  const { pacemaker } = setUp(t, {
    beat: () =>
      new Promise((resolve) => {
        started++;
        finish = resolve;
      }),
  });
  await settle();
  pacemaker.soon();
  pacemaker.soon();
  assert.equal(started, 1);
  finish();
  await settle();
  assert.equal(started, 2);
  finish();
  await settle();
  assert.equal(started, 2);
  pacemaker.soon();
  await settle();
  assert.equal(started, 3);
  finish();
});

test('after stop no round starts, and stop waits for the one that is running', async (t) => {
  let finish: () => void = () => undefined;
  let started = 0;
  const { pacemaker } = setUp(t, {
    beat: () =>
      new Promise((resolve) => {
        started++;
        finish = resolve;
      }),
  });
  await settle();
  let stopped = false;
  const stopping = pacemaker.stop().then(() => {
    stopped = true;
  });
  await settle();
  assert.equal(stopped, false);
  finish();
  await stopping;
  pacemaker.soon();
  await pass(t, 60_000);
  assert.equal(started, 1);
});

test('a pause is counted anew when the interval has changed, and a round comes no sooner for it', async (t) => {
  let intervalMs = 60_000;
  const { pacemaker, beats } = setUp(t, { intervalMs: () => intervalMs });
  await settle();
  await pass(t, 10_000);
  intervalMs = 5000;
  pacemaker.replan();
  await settle();
  await pass(t, 4999);
  assert.equal(beats(), 1);
  await pass(t, 1);
  assert.equal(beats(), 2);
});

test('what falls due while a round is running gets the next one at once, what that does not mend waits for 5 s', async (t) => {
  let due = Infinity;
  const began: number[] = [];
  let end = () => {};
  setUp(t, {
    intervalMs: () => 300_000,
    nextDue: () => due,
    beat: () => {
      began.push(Date.now());
      if (began.length > 1) return Promise.resolve();
      return new Promise((resolve) => {
        end = resolve;
      });
    },
  });
  await settle();
  due = Date.now() + 500;
  await pass(t, 1000);
  end();
  await settle();
  await pass(t, 0);
  assert.equal(began.length, 2);
  await pass(t, 4999);
  assert.equal(began.length, 2);
  await pass(t, 1);
  assert.equal(began.length, 3);
});
