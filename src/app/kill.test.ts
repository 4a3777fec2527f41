import { test } from 'node:test';
import { surviveKills } from '../../test/support/kill-rounds.js';

// The short form; test/faults/kill.test.ts is the long one.
test('kill -9 of server and agent at random moments heals by itself', { timeout: 90_000 }, async (t) => {
  await surviveKills(t, { rounds: 3, seed: String(Date.now()), agentTtl: 60 });
});
