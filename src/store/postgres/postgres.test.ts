import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { temporaryFolder } from '../../../test/support/children.js';
import { postgresMissing, startPostgres } from '../../../test/support/postgres.js';
import { Fault, isFault } from '../../base/faults/fault.js';
import { openPostgres } from './connection.js';
import type { DatabaseSource } from './target.js';

const skip = postgresMissing();
const postgres = skip ? undefined : await startPostgres({ after });

function running() {
  if (!postgres) throw new Error('skipped');
  return postgres;
}

async function open(t: TestContext, source: DatabaseSource, env: Record<string, string> = {}) {
  const start = { source, env: { HOME: '/nonexistent', ...env }, trustDomain: 'shop.example' };
  const connection = await openPostgres(start);
  t.after(() => connection.close());
  return connection;
}

async function refusal(opening: Promise<unknown>): Promise<string> {
  return opening.then(
    () => 'accepted',
    (error) => (error instanceof Fault ? error.code : String(error)),
  );
}

function passfile(t: TestContext, text: string): string {
  const path = join(temporaryFolder(t), 'secret');
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

test('what cannot be a database of this server is refused with the way out', { skip }, async (t) => {
  const { newDatabase, sql } = running();
  const url = await newDatabase();
  await (await open(t, { url })).close();
  await sql(url, "update meta set value = 'other.example' where key = 'trust-domain'");
  assert.equal(await refusal(open(t, { url })), 'STO0104');
  await sql(url, "insert into migrations values (99, '')");
  assert.equal(await refusal(open(t, { url })), 'STO0105');
  const latin = await newDatabase("template template0 encoding 'LATIN1' locale 'C'");
  assert.equal(await refusal(open(t, { url: latin })), 'STO0309');
  assert.equal(await refusal(open(t, { url: url.replace(/\/d\d+\?/, '/nothere?') })), 'STO0405');
  assert.equal(await refusal(open(t, { url: 'postgres://localhost:1/d' })), 'STO0401');
  assert.equal(await refusal(open(t, { url: 'postgres:///d?host=/nonexistent' })), 'STO0401');
  await sql(url, 'create role reader login');
  const readonly = await newDatabase();
  assert.equal(await refusal(open(t, { url: readonly.replace('plastron@', 'reader@') })), 'STO0405');
});

test('servers that start at once make the tables once and agree on the trust domain', { skip }, async (t) => {
  const { newDatabase, sql } = running();
  const url = await newDatabase();
  await Promise.all(Array.from({ length: 6 }, () => open(t, { url })));
  const [{ count } = {}] = await sql(url, 'select count(*) from (select distinct version from migrations) v');
  assert.deepEqual(await sql(url, 'select count(*) from migrations'), [{ count }]);
});

test('TLS is verified before the password is sent, and never left out', { skip }, async (t) => {
  const { newDatabase, tlsUrl, tcpUrl, password } = running();
  const local = await newDatabase();
  const [before = '', query = ''] = tlsUrl(local)
    .replace(/:[^:@]*@/, '@')
    .split('?');
  const env = { PGPASSWORD: 'not read' };
  const file = { ...env, PGPASSFILE: passfile(t, `*:*:*:*:${password.replace(/[\\:]/g, '\\$&')}`) };
  await open(t, { url: `${before}?${query}` }, file);
  await open(t, { urlFile: passfile(t, tlsUrl(local)) }, env);
  await open(t, { urlFile: passfile(t, tcpUrl(local)) }, env);
  assert.equal(await refusal(open(t, { url: `${before}?${query}` }, env)), 'STO0307', 'no password');
  const wrong = { PGPASSFILE: passfile(t, '*:*:*:*:wrong') };
  assert.equal(await refusal(open(t, { url: `${before}?${query}` }, wrong)), 'STO0307', 'a wrong password');
  const other = await refusal(open(t, { url: `${before}?sslmode=verify-full` }, file));
  assert.equal(other, 'STO0308', 'an authority that nobody knows');
  const address = `${before.replace('localhost', '127.0.0.1')}?${query}`;
  assert.equal(
    await refusal(open(t, { url: address }, file)),
    'STO0308',
    'a name that is not in the certificate',
  );
  await open(t, { url: address.replace('verify-full', 'verify-ca') }, file);
});

test('a unit that fails leaves nothing behind and does not touch those beside it', { skip }, async (t) => {
  const connection = await open(t, { url: await running().newDatabase() });
  const token = { expiresAt: 1, aliasId: '' } as const;
  const outcomes = await Promise.allSettled([
    connection.run('createJoinToken', { ...token, hash: 'a' }, 0),
    connection.run('createJoinToken', { ...token, hash: 'b\0' }, 0),
    connection.run('createJoinToken', { ...token, hash: 'c' }, 0),
    connection.run('createJoinToken', { ...token, hash: 'd' }, 0),
  ]);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
  );
  assert.ok(await connection.run('joinToken', 'd', 0));
});

test('a database that is away for a moment is waited for, and one that stays away is told', {
  skip,
}, async (t) => {
  const own = await startPostgres(t);
  const connection = await open(t, { url: await own.newDatabase() });
  await connection.run('bundleSequence', 'a');
  await own.kill();
  const writes = Promise.all([connection.run('bundleSequence', 'b'), connection.run('bundleSequence', 'c')]);
  await own.start();
  assert.deepEqual(await writes, [2, 3]);
  await own.stop();
  const refused = [1, 2, 3].map(() => connection.run('bundleSequence', 'd'));
  for (const outcome of await Promise.allSettled(refused)) {
    assert.ok(outcome.status === 'rejected' && isFault(outcome.reason, 'STO0401'));
  }
  await own.start();
  assert.equal(await connection.run('bundleSequence', 'c'), 3, 'nothing of what was refused happened');
});

test('a database that hangs is told too, and used again once it goes on', { skip }, async (t) => {
  const own = await startPostgres(t);
  const connection = await open(t, { url: await own.newDatabase() });
  await connection.run('bundleSequence', 'a');
  own.freeze();
  await assert.rejects(connection.run('bundleSequence', 'b'), (error) => isFault(error, 'STO0401'));
  own.thaw();
  assert.equal(await connection.run('lastBundleSequence'), 1);
});
