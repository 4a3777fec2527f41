import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { temporaryFolder } from './children.js';
import { followSecrets, runningAgent } from './running-agent.js';
import { entryApi, entryMessage, joinToken } from './running-server.js';
import { seededRandom } from './seeded-random.js';
import { type LifeOptions, type ServerLife, startLife } from './server-life.js';
import { createServerWriters } from './server-writers.js';
import { until } from './until.js';

export interface DiskTrouble {
  readonly server: Omit<LifeOptions, 'folder'>;
  /** The disk goes bad. */
  begin(): void | Promise<void>;
  end(): void | Promise<void>;
  /** The fault's code and its way out, as whoever writes must be told. */
  readonly told: RegExp;
}

/**
 * A server with an agent and a workload that follows its SVID, written to by six at once, gets trouble with its disk. Writes
 * must be refused with the reason and the way out; reading, syncing, issuing and every stream must go on. After the trouble the
 * server must write again by itself, and after a kill everything that it acknowledged must be there (S37).
 */
export async function surviveDiskTrouble(t: TestContext, trouble: DiskTrouble): Promise<void> {
  const seed = process.env.FAULT_SEED ?? String(Date.now());
  t.diagnostic(`seed ${seed}`);
  const options = { ...trouble.server, folder: temporaryFolder(t) };
  const life = await startLife(t, options);
  const writers = createServerWriters(seededRandom(seed));
  const workload = await startWorkload(t, life);
  await workload.renewed();

  const writing = writers.writeUntilDeath(life);
  await until(() => writers.ledger.counts.acknowledged > 40);
  await trouble.begin();
  for (const error of await writing) assert.match(error.message, trouble.told);
  await assert.rejects(joinToken(life), trouble.told);
  await writers.check(life);
  await workload.synced();
  await workload.renewed();

  await trouble.end();
  await untilWritable(life);
  const again = writers.ledger.counts.acknowledged + 40;
  const more = writers.writeUntilDeath(life);
  await until(() => writers.ledger.counts.acknowledged > again);
  await workload.synced();
  await workload.renewed();
  assert.equal(workload.ended(), undefined, 'the stream of the workload broke');
  await life.kill();
  await more;
  await writers.check(await startLife(t, options));
  const { acknowledged, done, undone } = writers.ledger.counts;
  t.diagnostic(
    `${acknowledged} writes acknowledged, none lost; ${done + undone} refused or broken off, ${done} of them done`,
  );
}

/** An agent, and a workload of it whose SVID is so short that it is renewed every two seconds. */
async function startWorkload(t: TestContext, life: ServerLife) {
  const token = await joinToken(life, {
    ttl: 600,
    agent_id: { trust_domain: 'shop.example', path: '/node/demo' },
  });
  const selectors = [`unix:uid:${process.geteuid?.()}`];
  const web = entryMessage('/web', '/node/demo', selectors, { x509_svid_ttl: 4 });
  await life.admin.unary(entryApi.BatchCreateEntry, { entries: [web] });
  const { agent, settings } = await runningAgent(t, { ...life, clients: [] }, { joinToken: { token } });
  const view = followSecrets(t, settings.socket, 'default');
  return {
    ended: () => view.ended,
    renewed: async () => {
      const before = view.responses;
      await until(() => view.responses > before || view.ended !== undefined);
    },
    synced: async () => {
      const before = Date.now();
      await until(() => (agent.status().lastSync ?? 0) > before);
    },
  };
}

async function untilWritable(life: ServerLife): Promise<void> {
  for (;;) {
    try {
      await joinToken(life);
      return;
    } catch {
      await sleep(50);
    }
  }
}
