import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { backUp } from '../../test/support/backup.js';
import { temporaryFolder } from '../../test/support/children.js';
import { postgresMissing, startPostgres } from '../../test/support/postgres.js';
import {
  agentApi,
  attest,
  attestedAgent,
  bundleOf,
  createEntries,
  dial,
  endOf,
  entryApi,
  entryMessage,
  joinToken,
  newKey,
  type RunningTestServer,
  runningServer,
  svidOf,
  syncOnce,
} from '../../test/support/running-server.js';
import { systemClock } from '../base/clock.js';
import { isFault } from '../base/faults/fault.js';
import { makeCsr } from '../ca/csr.js';
import { memoryKeys } from '../ca/key-manager.js';
import { parseTrustDomain, pathOf } from '../spiffe/id.js';
import { verifyX509Svid } from '../spiffe/verify-x509-svid.js';
import type { X509Svid } from '../spiffe/x509-svid.js';
import type { GrpcConnection } from '../transport/grpc-client.js';
import { checkBackup, restoreBackup } from './restore.js';

/** Restores a backup into a fresh data directory, and starts a server on it. */
async function restored(t: TestContext, path: string, dataDir = join(temporaryFolder(t), 'data')) {
  await restoreBackup({ path, dataDir, force: false, clock: systemClock });
  return runningServer(t, { dataDir });
}

async function revisions(server: RunningTestServer): Promise<Map<string, number>> {
  const { entries = [] } = await server.admin.unary(entryApi.ListEntries, {});
  return new Map(entries.map(({ id = '', revision_number }) => [id, Number(revision_number)]));
}

async function renew(connection: GrpcConnection): Promise<X509Svid> {
  const key = newKey();
  const { svid } = await connection.unary(agentApi.RenewAgent, { params: { csr: makeCsr(key) } });
  return svidOf(svid, key);
}

const webEntry = entryMessage('/web', '/node/demo', ['unix:uid:1']);

test('a restored server goes on in the place of the lost one: entries, keys and agents are there, and nothing is given out twice', async (t) => {
  const lost = await runningServer(t);
  const [web = ''] = await createEntries(lost, webEntry);
  const agent = await attestedAgent(t, lost);
  assert.equal((await endOf(syncOnce(agent.connection))).status, 'OK');
  const token = await joinToken(lost);
  const path = await backUp(lost, join(temporaryFolder(t), 'backup'));
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(
    readdirSync(lost.dataDir).filter((name) => name.includes('backup')),
    [],
  );

  await lost.admin.unary(entryApi.BatchUpdateEntry, { entries: [{ id: web, hint: 'later' }] });
  const before = { revisions: await revisions(lost), bundle: await bundleOf(lost) };
  const late = await attestedAgent(t, lost);
  await lost.close();

  const server = await restored(t, path);
  const after = { revisions: await revisions(server), bundle: await bundleOf(server) };
  assert.deepEqual([...after.revisions.keys()], [web]);
  assert.ok((after.revisions.get(web) ?? 0) > Math.max(...before.revisions.values()));
  assert.ok(after.bundle.sequence > before.bundle.sequence);
  assert.deepEqual(after.bundle.x509Authorities, before.bundle.x509Authorities);
  assert.deepEqual(after.bundle.jwtAuthorities, before.bundle.jwtAuthorities);
  verifyX509Svid(late.svid.chain, after.bundle, Date.now());

  assert.equal((await endOf(syncOnce(dial(t, server, agent.svid)))).status, 'OK');
  assert.equal((await endOf(syncOnce(dial(t, server, late.svid)))).reason, 'AGENT_NOT_ATTESTED');
  await assert.rejects(attest(dial(t, server), token), /ATT/);
});

test('S10: a join token that was redeemed after the backup is not good for another attestation after the restore', async (t) => {
  const lost = await runningServer(t);
  const token = await joinToken(lost);
  const path = await backUp(lost, join(temporaryFolder(t), 'backup'));
  await attest(dial(t, lost), token);
  await lost.close();
  const server = await restored(t, path);
  await assert.rejects(attest(dial(t, server), token), /ATT/);
});

test('S12: agents go on with what they renewed since the backup, never with an older SVID than the newest that was shown, and bans stay', async (t) => {
  const lost = await runningServer(t);
  const agent = await attestedAgent(t, lost);
  const banned = await attestedAgent(t, lost);
  await syncOnce(agent.connection);
  const { trust_domain, path: bannedPath } = { trust_domain: 'shop.example', path: pathOf(banned.svid.id) };
  const renewedOfBanned = await renew(banned.connection);
  await lost.admin.unary(agentApi.BanAgent, { id: { trust_domain, path: bannedPath } });
  const path = await backUp(lost, join(temporaryFolder(t), 'backup'));
  // Certificates count whole seconds.
  const second = await nextSecond(() => renew(agent.connection));
  await syncOnce(dial(t, lost, second));
  const third = await nextSecond(() => renew(dial(t, lost, second)));
  await syncOnce(dial(t, lost, third));
  await lost.close();

  const server = await restored(t, path);
  const reasonOf = async (svid: X509Svid) => (await endOf(syncOnce(dial(t, server, svid)))).reason;
  assert.equal(await reasonOf(third), undefined);
  assert.equal(await reasonOf(second), 'AGENT_NOT_ACTIVE');
  assert.equal(await reasonOf(agent.svid), 'AGENT_NOT_ACTIVE');
  const fourth = await renew(dial(t, server, third));
  assert.equal(await reasonOf(fourth), undefined);
  assert.equal(await reasonOf(third), 'AGENT_NOT_ACTIVE');
  assert.equal(await reasonOf(banned.svid), 'AGENT_BANNED');
  assert.equal(await reasonOf(renewedOfBanned), 'AGENT_BANNED');
});

/** A second later by the clock of certificates. */
async function nextSecond<Value>(work: () => Promise<Value>): Promise<Value> {
  const before = Math.floor(Date.now() / 1000);
  while (Math.floor(Date.now() / 1000) === before) await new Promise((resolve) => setTimeout(resolve, 20));
  return work();
}

test('S12: on a server that was never restored only the SVIDs that it knows count', async (t) => {
  const server = await runningServer(t);
  const agent = await attestedAgent(t, server);
  await syncOnce(agent.connection);
  const given = await nextSecond(() => renew(agent.connection));
  await renew(agent.connection);
  assert.equal((await endOf(syncOnce(dial(t, server, given)))).reason, 'AGENT_NOT_ACTIVE');
});

test('a data directory in use or with something in it is refused; with force what was there is moved aside', async (t) => {
  const lost = await runningServer(t);
  const path = await backUp(lost, join(temporaryFolder(t), 'backup'));
  const settings = { path, dataDir: lost.dataDir, clock: systemClock };
  await assert.rejects(restoreBackup({ ...settings, force: true }), (error) => isFault(error, 'STO0103'));
  assert.equal((await endOf(lost.admin.unary(entryApi.ListEntries, {}))).status, 'OK');
  await createEntries(lost, webEntry);
  await lost.close();
  const before = readdirSync(lost.dataDir);
  await assert.rejects(restoreBackup({ ...settings, force: false }), (error) => isFault(error, 'STO0506'));
  assert.deepEqual(readdirSync(lost.dataDir), before);

  const { movedTo = '' } = await restoreBackup({ ...settings, force: true });
  assert.deepEqual(
    readdirSync(lost.dataDir).filter((name) => !name.startsWith('before-restore-')),
    ['authorities.pem', 'server.db'],
  );
  const server = await runningServer(t, { dataDir: lost.dataDir });
  assert.equal((await revisions(server)).size, 0);
  await server.close();
  const old = await runningServer(t, { dataDir: movedTo });
  assert.equal((await revisions(old)).size, 1);
});

test('another trust domain is refused, and what cannot be written to; nothing is changed by either', async (t) => {
  const lost = await runningServer(t);
  const folder = temporaryFolder(t);
  const path = await backUp(lost, join(folder, 'backup'));
  const settings = { path, force: false, clock: systemClock };
  const dataDir = join(folder, 'data');
  await assert.rejects(
    restoreBackup({ ...settings, dataDir, trustDomain: parseTrustDomain('other.example') }),
    (error) => isFault(error, 'STO0504'),
  );
  writeFileSync(join(folder, 'file'), '');
  await assert.rejects(restoreBackup({ ...settings, dataDir: join(folder, 'file') }), (error) =>
    isFault(error, 'STO0508'),
  );
  assert.deepEqual(readdirSync(folder).sort(), ['backup', 'file']);
});

test('after a restore that was broken off the next one succeeds', async (t) => {
  const lost = await runningServer(t);
  const path = await backUp(lost, join(temporaryFolder(t), 'backup'));
  const dataDir = join(temporaryFolder(t), 'data');
  mkdirSync(join(dataDir, 'restore.new'), { recursive: true });
  writeFileSync(join(dataDir, 'restore.new', 'server.db'), 'half');
  await restored(t, path, dataDir);
  assert.deepEqual(
    readdirSync(dataDir).filter((name) => name === 'restore.new'),
    [],
  );
});

test('with keys in memory a backup has none, and says so', async (t) => {
  const lost = await runningServer(t, { keys: memoryKeys });
  const path = await backUp(lost, join(temporaryFolder(t), 'backup'));
  const { authorities } = await checkBackup({ path, clock: systemClock });
  assert.deepEqual(
    [...authorities.x509, ...authorities.jwt].map(({ key }) => key.kind),
    ['missing', 'missing'],
  );
});

test('on PostgreSQL a backup has the authorities alone; a restore moves on the database that was restored by its own tools', {
  skip: postgresMissing(),
}, async (t) => {
  const postgres = await startPostgres(t);
  const database = { url: await postgres.newDatabase() };
  const lost = await runningServer(t, { database });
  const [web = ''] = await createEntries(lost, webEntry);
  const token = await joinToken(lost);
  const before = { revisions: await revisions(lost), bundle: await bundleOf(lost) };
  const path = await backUp(lost, join(temporaryFolder(t), 'backup'));
  await lost.close();

  const contents = await checkBackup({ path, clock: systemClock });
  assert.deepEqual([contents.header.database, contents.counts], [undefined, undefined]);
  const settings = { path, dataDir: join(temporaryFolder(t), 'data'), force: false, clock: systemClock };
  await assert.rejects(restoreBackup(settings), (error) => isFault(error, 'STO0510'));
  const { counts } = await restoreBackup({ ...settings, database });
  assert.equal(counts?.entries, 1);
  const server = await runningServer(t, { dataDir: settings.dataDir, database });
  assert.ok(((await revisions(server)).get(web) ?? 0) > (before.revisions.get(web) ?? 0) + 1e12);
  const bundle = await bundleOf(server);
  assert.deepEqual(bundle.x509Authorities, before.bundle.x509Authorities);
  assert.ok(bundle.sequence > before.bundle.sequence);
  await assert.rejects(attest(dial(t, server), token), /ATT/);
});
