import assert from 'node:assert/strict';
import { watch } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { temporaryFolder } from './children.js';
import { seededRandom } from './seeded-random.js';
import { startLife } from './server-life.js';
import { createServerWriters } from './server-writers.js';
import { createTrustCheck } from './trust-check.js';

export interface StoreKills {
  rounds: number;
  /** The same seed writes the same things and waits as long before each kill. */
  seed: string;
  /** Further flags of `plastron server run`. */
  flags?: readonly string[];
  /** Waits for the moment of the kill; after some dozens of writes, unless it says otherwise. */
  moment?: (moment: Moment) => Promise<void>;
  /** What happens to the store at that moment, while the server lives and is written to. */
  disaster?: (round: number) => Promise<void>;
}

interface Moment {
  dataDir: string;
  random: () => number;
  /** How many writes the server has acknowledged. */
  acknowledged: () => number;
}

/**
 * Runs a server as a process, has it written to by six at once over its API, kills it (-9) in the middle, and starts it over,
 * again and again. After every round all that it acknowledged must be there, nothing else but whole writes that were under
 * way, and the trust domain must go on as if nothing had been.
 */
export async function surviveStoreKills(t: TestContext, options: StoreKills): Promise<void> {
  const { rounds, seed, flags = [], moment = whileWriting, disaster } = options;
  t.diagnostic(`seed ${seed}`);
  const random = seededRandom(seed);
  const folder = temporaryFolder(t);
  const dataDir = join(folder, 'data');
  const writers = createServerWriters(random);
  const trust = createTrustCheck();
  const acknowledged = () => writers.ledger.counts.acknowledged;
  for (let round = 0; round < rounds; round++) {
    const life = await startLife(t, { folder, dataDir, flags });
    await writers.check(life);
    await writers.spendToken(life);
    await trust.look(life.admin, writers.svids);
    const writing = writers.writeUntilDeath(life);
    await Promise.race([moment({ dataDir, random, acknowledged }), writing]);
    await disaster?.(round);
    await life.kill();
    await writing;
  }
  const last = await startLife(t, { folder, dataDir, flags });
  await writers.check(last);
  await trust.look(last.admin, writers.svids);
  const { done, undone } = writers.ledger.counts;
  t.diagnostic(
    `${rounds} kills, ${acknowledged()} writes acknowledged, none lost; ${done + undone} under way, ${done} of them done; ` +
      `${writers.svids.length} SVIDs, ${trust.rotations()} new authorities`,
  );
  assert.ok(done + undone >= rounds / 2, 'too few kills hit a write');
}

async function whileWriting({ random, acknowledged }: Moment): Promise<void> {
  const enough = acknowledged() + random() * 60;
  while (acknowledged() < enough) await sleep(1);
  await sleep(random() * 5);
}

/** The moment at which a new authority is being written: between its first byte and some milliseconds after. */
export async function whileRotating({ dataDir, random }: Moment): Promise<void> {
  const watcher = watch(dataDir);
  await new Promise<void>((resolve) => {
    watcher.on('change', (_, name) => name === 'authorities.pem.new' && resolve());
  });
  watcher.close();
  await sleep(random() * 8);
}
