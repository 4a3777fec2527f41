import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type FakeEnvoy, startFakeEnvoy } from '../../test/support/fake-envoy.js';
import { connectionsHeld, type RotationOutcome, watchRotation } from './rotation.js';

test('a rotation without a hitch: the serial number changes, nothing else does', async (t) => {
  const { requests, serials, ...rotation } = await rotateBy(t, () => 200);
  assert.ok(requests > connectionsHeld);
  assert.deepEqual(rotation, { connections_kept: connectionsHeld, failed_requests: 0 });
  assert.deepEqual(
    serials.map(({ before, after }) => [before, after]),
    [['1', '2']],
  );
});

test('a request that fails during the rotation is counted', async (t) => {
  assert.equal((await rotateBy(t, (index) => (index === 15 ? 503 : 200))).failed_requests, 1);
});

test('a connection that is lost during the rotation is not counted as kept', async (t) => {
  const { connections_kept, failed_requests } = await rotateBy(t, (index) => (index === 15 ? 'cut' : 200));
  assert.equal(connections_kept, connectionsHeld - 1);
  assert.ok(failed_requests > 0);
});

test('when the connection between the Envoys was replaced, none counts as kept', async (t) => {
  const { connections_kept } = await rotateBy(t, (index, fake) => {
    if (index === 15) fake.connectionsOpened = 2;
    return 200;
  });
  assert.equal(connections_kept, 0);
});

/** The new SVID is loaded at the twentieth request after the first look at the serial number; requests count from there. */
async function rotateBy(
  t: TestContext,
  answer: (index: number, fake: FakeEnvoy) => number | 'cut',
): Promise<RotationOutcome> {
  const fake = await startFakeEnvoy(t);
  let index = 0;
  fake.answer = () => {
    if (!fake.lookedAt) return 200;
    if (++index === 20) fake.serial = '2';
    return answer(index, fake);
  };
  const request = { to: 'orders', method: 'GET', path: '/v1/orders/7' } as const;
  return await watchRotation(fake.service, request, [fake.service], new AbortController().signal);
}
