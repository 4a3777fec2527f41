import assert from 'node:assert/strict';
import { test } from 'node:test';
import { soakRotation } from '../support/rotation-soak.js';

test('SVIDs that are replaced every 5 seconds fail no call in half a minute, through two Envoys and on new connections', {
  timeout: 120_000,
}, async (t) => {
  const note = (sentence: string) => t.diagnostic(sentence);
  const { failures, svids, throughEnvoys } = await soakRotation(t, { seconds: 30, everySeconds: 5, note });
  assert.deepEqual(failures, []);
  assert.ok(throughEnvoys > 0);
  // A machine that is busy renews later: what counts is that it happened under load.
  for (const [name, count] of Object.entries(svids)) assert.ok(count >= 3, `${name} had ${count} SVIDs`);
});
