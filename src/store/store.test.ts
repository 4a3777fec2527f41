import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import Libsql from 'libsql';
import { isFault } from '../base/faults/fault.js';
import { checkEntry } from '../registration/check-entry.js';
import type { EntryContent } from '../registration/entry.js';
import { parseSelector } from '../registration/selector.js';
import { parseSpiffeId, parseTrustDomain } from '../spiffe/id.js';
import { openStore } from './store.js';

const trustDomain = parseTrustDomain('shop.example');
const agentId = parseSpiffeId('spiffe://shop.example/spire/agent/join_token/t');
const alias = parseSpiffeId('spiffe://shop.example/node/demo');

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'pl-store-'));
  t.after(() => rmSync(made, { recursive: true, force: true }));
  return join(made, 'data');
}

async function open(t: TestContext, dataDir = folder(t), now = 1_700_000_000_000) {
  const clock = { now: () => now };
  const store = await openStore({ dataDir, trustDomain, clock });
  t.after(() => store.close());
  return store;
}

function content(path: string, ...selectors: string[]): EntryContent {
  const parentId = 'spiffe://shop.example/node/demo';
  return checkEntry(
    { spiffeId: `spiffe://shop.example${path}`, parentId, selectors: selectors.map(parseSelector) },
    trustDomain,
  );
}

function attestation(serial: string) {
  const expiresAt = 1_700_000_600_000;
  return {
    agent: {
      id: agentId,
      attestationType: 'join_token',
      selectors: [],
      canReattest: false,
      serial,
      expiresAt,
    },
  };
}

test('entries come back as they were written, also after the store was closed', async (t) => {
  const dataDir = folder(t);
  const store = await openStore({ dataDir, trustDomain, clock: { now: () => 5000 } });
  const full: EntryContent = {
    ...content('/web', 'unix:uid:1', 'unix:path:/a "b"'),
    x509SvidTtl: 60,
    dnsNames: ['web', 'a.b'],
    federatesWith: [parseTrustDomain('other.example')],
    admin: true,
    hint: 'ünïcode ☃',
    expiresAt: 2 ** 40,
  };
  const bundles = [{ how: 'set', trustDomain: parseTrustDomain('other.example'), change: {} } as const];
  await store.writeFederatedBundles(bundles);
  const [outcome] = await store.createEntries([{ ...full, id: 'web' }]);
  assert.deepEqual(outcome, { kind: 'written', entry: { ...full, id: 'web', createdAt: 5, revision: 2 } });
  await store.close();
  const again = await open(t, dataDir);
  assert.deepEqual(await again.entries(), [{ ...full, id: 'web', createdAt: 5, revision: 2 }]);
});

test('a similar entry, or one with the same ID, is not written twice', async (t) => {
  const store = await open(t);
  const web = content('/web', 'unix:uid:1');
  const outcomes = await store.createEntries([
    { ...web, id: 'a' },
    { ...web, id: 'b' },
    { ...content('/orders', 'unix:uid:2'), id: 'a' },
    { ...content('/orders', 'unix:uid:2'), id: 'c' },
  ]);
  assert.deepEqual(
    outcomes.map((outcome) => [outcome.kind, 'entry' in outcome ? outcome.entry.id : '']),
    [
      ['written', 'a'],
      ['similar', 'a'],
      ['similar', 'a'],
      ['written', 'c'],
    ],
  );
});

test('an update changes what it names, never into another entry, and every state has a revision of its own', async (t) => {
  const store = await open(t);
  await store.createEntries([
    { ...content('/web', 'unix:uid:1'), id: 'web' },
    { ...content('/orders', 'unix:uid:2'), id: 'orders' },
  ]);
  const [updated, missing, similar] = await store.updateEntries([
    { id: 'web', change: { x509SvidTtl: 30 } },
    { id: 'none', change: {} },
    { id: 'web', change: content('/orders', 'unix:uid:2') },
  ]);
  assert.equal(updated?.kind === 'written' && updated.entry.x509SvidTtl, 30);
  assert.equal(missing?.kind, 'missing');
  assert.equal(similar?.kind === 'similar' && similar.entry.id, 'orders');
  assert.deepEqual(await store.deleteEntries(['web', 'web']), [true, false]);
  const [again] = await store.createEntries([{ ...content('/web', 'unix:uid:1'), id: 'web' }]);
  assert.ok(again?.kind === 'written' && updated?.kind === 'written');
  assert.ok(again.entry.revision > updated.entry.revision);
});

test('of any number of attempts at one join token exactly one is recorded (S10)', async (t) => {
  const store = await open(t);
  assert.equal(
    await store.createJoinToken({ hash: 'h', expiresAt: 1_700_000_060_000, aliasId: alias }),
    true,
  );
  assert.equal(await store.createJoinToken({ hash: 'h', expiresAt: 1_700_000_060_000, aliasId: '' }), false);
  const joinToken = await store.joinToken('h');
  assert.ok(joinToken);
  const attempts = Array.from({ length: 32 }, (_, i) => store.attest({ ...attestation(`a${i}`), joinToken }));
  const outcomes = await Promise.all(attempts);
  assert.equal(outcomes.filter(({ kind }) => kind === 'recorded').length, 1);
  const [agent] = await store.agents();
  const [entry] = await store.entries();
  assert.equal(entry?.spiffeId, alias);
  assert.equal(entry?.parentId, agentId);
  assert.deepEqual(entry?.selectors, [{ type: 'spiffe_id', value: agentId }]);
  assert.deepEqual(await store.unsettledSerials(), [agent?.serial]);
  await store.settleJoinToken(agent?.serial ?? '');
  assert.equal(await store.joinToken('h'), undefined);
});

test('expired join tokens are deleted, and settling nothing deletes nothing', async (t) => {
  const store = await open(t);
  await store.createJoinToken({ hash: 'old', expiresAt: 1_699_999_999_999, aliasId: '' });
  await store.createJoinToken({ hash: 'new', expiresAt: 1_700_000_060_000, aliasId: '' });
  assert.equal(await store.joinToken('old'), undefined);
  await store.settleJoinToken('');
  assert.ok(await store.joinToken('new'));
});

test('an agent is renewed, activated, banned and deleted; a banned one is not recorded again (S12)', async (t) => {
  const store = await open(t);
  await store.attest(attestation('s1'));
  await store.renewAgent(agentId, { serial: 's2', expiresAt: 1_700_000_900_000 });
  assert.equal(await store.activateAgent(agentId, 'other'), undefined);
  const active = await store.activateAgent(agentId, 's2');
  assert.deepEqual([active?.serial, active?.expiresAt, active?.nextSerial], ['s2', 1_700_000_900_000, '']);
  assert.equal((await store.setAgentVersion(agentId, '1.2'))?.version, '1.2');
  assert.equal((await store.banAgent(agentId))?.banned, true);
  assert.equal((await store.attest(attestation('s3'))).kind, 'banned');
  assert.equal(await store.renewAgent(agentId, { serial: 's4', expiresAt: 1 }), undefined);
  assert.deepEqual(await store.deleteAgent(agentId), { deleted: true });
  assert.deepEqual(await store.deleteAgent(agentId), { deleted: false });
  assert.equal((await store.attest(attestation('s5'))).kind, 'recorded');
});

test('deleting an agent deletes the alias of its join token too', async (t) => {
  const store = await open(t);
  await store.createJoinToken({ hash: 'h', expiresAt: 1_700_000_060_000, aliasId: alias });
  const joinToken = await store.joinToken('h');
  assert.ok(joinToken);
  const recorded = await store.attest({ ...attestation('s'), joinToken });
  assert.ok(recorded.kind === 'recorded' && recorded.alias);
  assert.deepEqual(await store.deleteAgent(agentId), { deleted: true, aliasEntryId: recorded.alias.id });
  assert.deepEqual(await store.entries(), []);
});

test('the bundle sequence grows exactly when the contents change, and survives a restart (TB-02)', async (t) => {
  const dataDir = folder(t);
  const store = await openStore({ dataDir, trustDomain, clock: { now: () => 0 } });
  assert.equal(await store.lastBundleSequence(), 0n);
  assert.equal(await store.bundleSequence('a'), 1n);
  assert.equal(await store.bundleSequence('a'), 1n);
  assert.equal(await store.bundleSequence('b'), 2n);
  await store.close();
  assert.equal(await (await open(t, dataDir)).bundleSequence('b'), 2n);
});

test('the data directory and everything in it is for its owner alone (S28)', async (t) => {
  const dataDir = folder(t);
  const store = await open(t, dataDir);
  await store.bundleSequence('a');
  assert.equal(statSync(dataDir).mode & 0o777, 0o700);
  assert.ok(readdirSync(dataDir).length >= 2);
  for (const name of readdirSync(dataDir)) assert.equal(statSync(join(dataDir, name)).mode & 0o077, 0, name);
});

test('what cannot be a database of this server is refused with the way out', async (t) => {
  const refusals: [string, string, (dataDir: string) => void][] = [
    ['readable by others', 'STO0102', (dir) => chmodSync(join(dir, 'server.db'), 0o640)],
    ['in a folder that others may write to', 'STO0102', (dir) => chmodSync(dir, 0o722)],
    ['damaged', 'STO0106', (dir) => writeFileSync(join(dir, 'server.db'), 'no database '.repeat(999))],
    ['from the future', 'STO0105', (dir) => exec(dir, "insert into migrations values (99, '')")],
    [
      'of another trust domain',
      'STO0104',
      (dir) => exec(dir, "update meta set value = 'x' where key = 'trust-domain'"),
    ],
    [
      'where the folder is a file',
      'STO0101',
      (dir) => {
        rmSync(dir, { recursive: true });
        writeFileSync(dir, '');
      },
    ],
  ];
  for (const [what, code, damage] of refusals) {
    const dataDir = folder(t);
    await (await openStore({ dataDir, trustDomain, clock: { now: () => 0 } })).close();
    damage(dataDir);
    await assert.rejects(
      openStore({ dataDir, trustDomain, clock: { now: () => 0 } }),
      (error) => isFault(error, code as 'STO0101'),
      what,
    );
  }
});

test('a second server is refused while the first has the database open', async (t) => {
  const dataDir = folder(t);
  await open(t, dataDir);
  await assert.rejects(open(t, dataDir), (error) => isFault(error, 'STO0103'));
});

test('after close every call is refused', async (t) => {
  const store = await openStore({ dataDir: folder(t), trustDomain, clock: { now: () => 0 } });
  const last = store.bundleSequence('a');
  await store.close();
  assert.equal(await last, 1n);
  await assert.rejects(store.entries(), (error) => isFault(error, 'STO0204'));
});

test('events have gapless positions that end with the counter, whatever is written at once', async (t) => {
  const dataDir = folder(t);
  const store = await openStore({ dataDir, trustDomain, clock: { now: () => 0 } });
  await Promise.all(
    Array.from({ length: 40 }, (_, i) =>
      store.createEntries([{ ...content('/web', `unix:uid:${i}`), id: `e${i}` }]),
    ),
  );
  await store.attest(attestation('s'));
  await store.close();
  const database = new Libsql(join(dataDir, 'server.db'));
  t.after(() => database.close());
  const positions = database.prepare('select position from events order by position').pluck().all([]);
  assert.deepEqual(
    positions,
    Array.from({ length: 41 }, (_, i) => i + 1),
  );
  assert.equal(readFileSync(join(dataDir, 'server.db')).subarray(0, 6).toString(), 'SQLite');
});

function exec(dataDir: string, sql: string): void {
  const database = new Libsql(join(dataDir, 'server.db'));
  database.exec(sql);
  database.close();
}
