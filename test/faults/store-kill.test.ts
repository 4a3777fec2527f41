import { test } from 'node:test';
import { postgresMissing, startPostgres, type TestPostgres } from '../support/postgres.js';
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

test('PostgreSQL: the server killed in the middle of writes, and before it the database or one process of it, nothing acknowledged is lost (S37)', {
  timeout,
  skip: postgresMissing(),
}, async (t) => {
  const postgres = await startPostgres(t);
  const url = await postgres.newDatabase();
  const disasters = [
    async () => {},
    () => killSession(postgres, url),
    async () => {
      await postgres.kill();
      await postgres.start();
    },
  ];
  await surviveStoreKills(t, {
    rounds,
    seed,
    flags: ['--store', url],
    disaster: async (round) => await disasters[round % disasters.length]?.(),
  });
});

/** Kills the database's process that serves our server; the database ends all its others too, and recovers. */
async function killSession(postgres: TestPostgres, url: string): Promise<void> {
  const sessions = await postgres.sql(
    url,
    'select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
  );
  for (const { pid } of sessions) killIfThere(Number(pid));
}

/** The database ends the others as soon as it sees that the first one is gone. */
function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
