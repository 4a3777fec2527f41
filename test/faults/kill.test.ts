import { test } from 'node:test';
import { surviveKills } from '../support/kill-rounds.js';

const seed = process.env.FAULT_SEED ?? String(Date.now());

test('25 kills of server and agent, with SVIDs so short that kills hit renewals and rotations', {
  timeout: 280_000,
}, async (t) => {
  await surviveKills(t, { rounds: 25, seed, agentTtl: 20 });
});
