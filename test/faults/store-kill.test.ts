import { test } from 'node:test';
import { surviveStoreKills, whileRotating } from '../support/store-kills.js';

const seed = process.env.FAULT_SEED ?? String(Date.now());
const rounds = Number(process.env.FAULT_ROUNDS ?? 50);
const timeout = 60_000 + rounds * 8000;

test('libsql: killed in the middle of writes, the server has all that it acknowledged, and its trust domain goes on (S37)', {
  timeout,
}, async (t) => {
  await surviveStoreKills(t, { rounds, seed });
});

test('libsql: killed while it writes a new signing authority, the server goes on with the old ones or with all (S28, S37)', {
  timeout,
}, async (t) => {
  const flags = ['--ca-ttl', '6', '--x509-svid-ttl', '4'];
  await surviveStoreKills(t, { rounds: Math.ceil(rounds / 5), seed, flags, moment: whileRotating });
});
