import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { isFault } from '../base/faults/fault.js';
import { attemptLimit } from './attempt-limit.js';

const never = new AbortController().signal;

/** Settled attempts as they come, with the clock in the test's hands. */
function setUp(t: { after(end: () => void): void }, perSecond = 1) {
  let now = 0;
  mock.timers.enable({ apis: ['setTimeout'] });
  const clock = mock.method(performance, 'now', () => now);
  t.after(() => {
    mock.timers.reset();
    clock.mock.restore();
  });
  const limit = attemptLimit(perSecond);
  const ends: string[] = [];
  const begin = (name: string, network = '10.0.0.1', signal = new AbortController().signal) => {
    const attempt = limit.begin(network, signal);
    attempt.then(
      () => ends.push(name),
      (error) => ends.push(isFault(error, 'ATT0501') ? `${name} refused` : String(error)),
    );
    return attempt;
  };
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 100) {
      now += 100;
      mock.timers.tick(100);
      await settle();
    }
  };
  return { begin, pass, settle, ends };
}

test('S11: one address has one attempt in a second; the next waits, and others do not wait for it', async (t) => {
  const { begin, pass, settle, ends } = setUp(t);
  for (const name of ['a', 'b', 'c']) void begin(name);
  void begin('other', '10.0.0.2');
  await settle();
  assert.deepEqual(ends, ['a', 'other']);
  await pass(1000);
  assert.deepEqual(ends, ['a', 'other', 'b']);
  await pass(1000);
  assert.deepEqual(ends, ['a', 'other', 'b', 'c']);
});

test('S11: an attempt that succeeds costs nothing, so all agents behind one address get in', async (t) => {
  const { begin, settle, ends } = setUp(t);
  const attempts = Array.from({ length: 100 }, (_, i) => begin(String(i)));
  for (const attempt of attempts) (await attempt)();
  await settle();
  assert.equal(ends.length, 100);
  // And no more than that: what was not taken is not saved up.
  void begin('next');
  void begin('after');
  await settle();
  assert.deepEqual(ends.slice(100), ['next']);
});

test('S11: who would have to wait for too long, or for too many, is refused', async (t) => {
  const { begin, pass, settle, ends } = setUp(t);
  for (let i = 0; i < 102; i++) begin(String(i)).catch(() => {});
  await settle();
  assert.deepEqual(ends, ['0', '101 refused']);
  await pass(11_000);
  assert.equal(ends.filter((end) => end.endsWith('refused')).length, 102 - 10);
});

test('who goes away while waiting takes nobody’s turn', async (t) => {
  const { begin, pass, settle, ends } = setUp(t);
  const away = new AbortController();
  void begin('a');
  begin('b', '10.0.0.1', away.signal).catch(() => {});
  void begin('c');
  away.abort();
  await settle();
  assert.deepEqual(ends, ['a', 'b refused']);
  await pass(1000);
  assert.deepEqual(ends, ['a', 'b refused', 'c']);
});

test('S11: however many addresses try, what is remembered is bounded, and 0 is no limit', async () => {
  const limit = attemptLimit(1);
  for (let i = 0; i < 20_000; i++) await limit.begin(`10.${i >> 8}.0.${i & 255}`, never);
  const none = attemptLimit(0);
  for (let i = 0; i < 100; i++) await none.begin('10.0.0.1', never);
});
