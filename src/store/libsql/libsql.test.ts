import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import Libsql from 'libsql';
import { attestation, entryContent } from '../../../test/support/store-contents.js';
import { isFault } from '../../base/faults/fault.js';
import { parseTrustDomain } from '../../spiffe/id.js';
import { openStore } from '../store.js';

const trustDomain = parseTrustDomain('shop.example');

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

test('events have gapless positions that end with the counter, whatever is written at once', async (t) => {
  const dataDir = folder(t);
  const store = await openStore({ dataDir, trustDomain, clock: { now: () => 0 } });
  await Promise.all(
    Array.from({ length: 40 }, (_, i) =>
      store.createEntries([{ ...entryContent('/web', `unix:uid:${i}`), id: `e${i}` }]),
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
