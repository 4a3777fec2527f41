import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type FakeEnvoy, startFakeEnvoy } from '../../test/support/fake-envoy.js';
import { isFault } from '../base/faults/fault.js';
import { type PolicyFlip, watchFlip } from './flip.js';

test('a flip without a hitch', async (t) => {
  const { saved_to_enforced_ms, ...flip } = await flipBy(t, () => undefined);
  assert.ok(saved_to_enforced_ms >= 0);
  assert.deepEqual(flip, { same_connection: true, failed_requests: 0 });
});

test('an answer of another kind, before and after the change, counts as failed', async (t) => {
  const { failed_requests } = await flipBy(t, (fake, answer) => {
    fake.answer = (index) => (index === 3 || index === 22 ? 503 : answer(index));
  });
  assert.equal(failed_requests, 2);
});

test('the old answer after the new one counts as failed', async (t) => {
  const { failed_requests } = await flipBy(t, (fake, answer) => {
    fake.answer = (index) => (index === 35 ? 403 : answer(index));
  });
  assert.equal(failed_requests, 1);
});

test('a connection that is cut shows, and so does one between the Envoys that was replaced', async (t) => {
  const cut = await flipBy(t, (fake, answer) => {
    fake.answer = (index) => (index === 35 ? 'cut' : answer(index));
  });
  assert.equal(cut.same_connection, false);
  assert.ok(cut.failed_requests > 0);
  const replaced = await flipBy(t, (fake, answer) => {
    fake.answer = (index) => {
      if (index === 30) fake.connectionsOpened = 2;
      return answer(index);
    };
  });
  assert.equal(replaced.same_connection, false);
});

test('a change that is never enforced is an error, and an abort ends the wait at once', async (t) => {
  const { service } = await startFakeEnvoy(t);
  const change = { request: { to: 'orders', method: 'GET', path: '/' }, before: 200, after: 403 } as const;
  const abort = new AbortController();
  const waiting = watchFlip(
    service,
    { ...change, save: () => abort.abort(new Error('enough')) },
    abort.signal,
  );
  await assert.rejects(waiting, /enough/);
  const never = watchFlip(
    service,
    { ...change, save: () => undefined, patienceMs: 50 },
    new AbortController().signal,
  );
  await assert.rejects(never, (error) => isFault(error, 'DEM0204'));
});

/** Twenty requests before the file is saved, five more until that is enforced, twenty after. */
async function flipBy(
  t: TestContext,
  prepare: (fake: FakeEnvoy, answer: (index: number) => number) => void,
): Promise<PolicyFlip> {
  const fake = await startFakeEnvoy(t);
  const answer = (index: number) => (index < 25 ? 403 : 200);
  fake.answer = answer;
  prepare(fake, answer);
  const request = { to: 'orders', method: 'DELETE', path: '/v1/orders/7' } as const;
  const change = { request, before: 403, after: 200, save: () => undefined };
  return await watchFlip(fake.service, change, new AbortController().signal);
}
