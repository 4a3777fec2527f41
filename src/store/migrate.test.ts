import assert from 'node:assert/strict';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import Libsql from 'libsql';
import { temporaryFolder } from '../../test/support/children.js';
import { postgresMissing, startPostgres } from '../../test/support/postgres.js';
import { versionOne, versionOneSchema } from '../../test/support/store-version-1.js';
import { storedEntries } from '../../test/support/stored-entries.js';
import { parseTrustDomain } from '../spiffe/id.js';
import type { StoreOptions } from './connect.js';
import { forPostgres } from './postgres/dialect.js';
import { schema } from './schema.js';
import { openStore } from './store.js';

const skip = postgresMissing();
const postgres = skip ? undefined : await startPostgres({ after });

test('a step of the schema that was released is never changed', () => {
  const onOneLine = (sql: string) => sql.replace(/\s+/g, ' ');
  assert.deepEqual(schema[0]?.map(onOneLine), versionOneSchema.map(onOneLine));
});

test('a database file of version 1 is brought to this version with everything in it', async (t) => {
  const dataDir = join(temporaryFolder(t), 'data');
  mkdirSync(dataDir, { mode: 0o700 });
  const path = join(dataDir, 'server.db');
  const database = new Libsql(path);
  for (const sql of versionOne) database.exec(sql);
  database.close();
  chmodSync(path, 0o600);
  await hasEverything(t, { dataDir });
});

test('a PostgreSQL database of version 1 is brought to this version with everything in it', {
  skip,
}, async (t) => {
  if (!postgres) throw new Error('skipped');
  const url = await postgres.newDatabase();
  await postgres.sql(url, versionOne.map(forPostgres).join(';\n'));
  await hasEverything(t, { dataDir: '', database: { url } });
});

async function hasEverything(t: TestContext, where: Pick<StoreOptions, 'dataDir' | 'database'>) {
  for (const round of ['migrated', 'opened again']) {
    const clock = { now: () => 1_700_000_000_000 };
    const store = await openStore({ ...where, trustDomain: parseTrustDomain('shop.example'), clock });
    t.after(() => store.close());
    const [entry, ...others] = await storedEntries(store);
    assert.deepEqual(others, [], round);
    assert.deepEqual(
      [entry?.id, entry?.selectors, entry?.x509SvidTtl, entry?.dnsNames, entry?.admin, entry?.revision],
      ['web', [{ type: 'unix', value: 'uid:1' }], 60, ['web'], true, 1],
    );
    const [agent] = await store.agents();
    assert.deepEqual([agent?.banned, agent?.serial, agent?.version], [true, 's', '1.0']);
    assert.ok(await store.joinToken('h'));
    assert.equal(await store.bundleSequence('a'), 7n);
    assert.deepEqual(await store.position(), { epoch: 'e1', position: 2 });
    await store.close();
  }
}
