import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { temporaryFolder } from '../../../test/support/children.js';
import { Fault, isFault } from '../../base/faults/fault.js';
import { writePrivateFile } from '../../disk/private-file.js';
import { parseTrustDomain } from '../../spiffe/id.js';
import type { StoreSnapshot } from '../ports.js';
import { openBackup } from './read-backup.js';
import { backupBytes } from './write-backup.js';

const trustDomain = parseTrustDomain('shop.example');
const authorities = '-----BEGIN PRIVATE KEY-----\n';

async function write(path: string, database?: Buffer): Promise<void> {
  const snapshot = database && inMemory(database);
  const store = { snapshot: async () => snapshot };
  const parts = {
    trustDomain,
    store,
    authorities: () => authorities,
    clock: { now: () => 1_700_000_000_000 },
  };
  await writePrivateFile(path, backupBytes(parts));
}

function inMemory(database: Buffer): StoreSnapshot {
  return {
    schemaVersion: 4,
    size: database.length,
    read: async function* () {
      for (let at = 0; at < database.length; at += 1000) yield database.subarray(at, at + 1000);
    },
    close: async () => {},
  };
}

async function read(path: string) {
  const backup = await openBackup(path);
  const parts: Buffer[] = [];
  for await (const bytes of backup.database()) parts.push(Buffer.from(bytes));
  const found = {
    header: backup.header,
    database: Buffer.concat(parts),
    authorities: await backup.authorities(),
  };
  await backup.close();
  return found;
}

const path = (t: TestContext) => join(temporaryFolder(t), 'backup');

test('what is written into a backup is read from it, with a database of any size and without one', async (t) => {
  const file = path(t);
  const sizes = fc.option(fc.uint8Array({ maxLength: 5000 }), { nil: undefined });
  await fc.assert(
    fc.asyncProperty(sizes, async (bytes) => {
      const database = bytes && Buffer.from(bytes);
      await write(file, database);
      const found = await read(file);
      assert.deepEqual(found.database, database ?? Buffer.alloc(0));
      assert.equal(found.authorities, authorities);
      assert.equal(found.header.trustDomain, trustDomain);
      assert.equal(found.header.createdAt, 1_700_000_000_000);
      assert.deepEqual(found.header.database, database && { schemaVersion: 4, size: database.length });
    }),
  );
});

test('a backup in which any one bit is another is refused', async (t) => {
  const file = path(t);
  await write(file, Buffer.from('a database '.repeat(5)));
  const whole = readFileSync(file);
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const flipped = Buffer.from(whole);
    flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    writeFileSync(file, flipped);
    await assert.rejects(openBackup(file), isRefusal, `bit ${bit}`);
  }
});

test('a backup that was cut off anywhere, or has something behind its end, is refused', async (t) => {
  const file = path(t);
  await write(file, Buffer.from('a database'));
  const whole = readFileSync(file);
  for (let size = 0; size < whole.length; size++) {
    writeFileSync(file, whole.subarray(0, size));
    await assert.rejects(openBackup(file), isRefusal, `${size} bytes`);
  }
  writeFileSync(file, Buffer.concat([whole, Buffer.from('x')]));
  await assert.rejects(openBackup(file), (error) => isFault(error, 'STO0502'));
});

test('what is no backup, of a later format, missing or open to others is refused with the reason', async (t) => {
  const file = path(t);
  await assert.rejects(openBackup(file), (error) => isFault(error, 'STO0507'));
  await write(file);
  chmodSync(file, 0o640);
  await assert.rejects(openBackup(file), (error) => isFault(error, 'STO0505'));
  chmodSync(file, 0o600);
  writeFileSync(
    file,
    readFileSync(file, 'latin1').replace('plastron-backup 1', 'plastron-backup 2'),
    'latin1',
  );
  await assert.rejects(openBackup(file), (error) => isFault(error, 'STO0503'));
  writeFileSync(file, 'SQLite format 3');
  await assert.rejects(openBackup(file), (error) => isFault(error, 'STO0501'));
});

test('whoever stops reading a backup lets go of its snapshot', async () => {
  let closed = 0;
  const snapshot = { ...inMemory(Buffer.alloc(10_000)), close: async () => void closed++ };
  const store = { snapshot: async () => snapshot };
  for await (const _ of backupBytes({ trustDomain, store, authorities: () => '', clock: { now: () => 0 } }))
    break;
  assert.equal(closed, 1);
});

const isRefusal = (error: unknown): boolean => error instanceof Fault && /^STO050[123]$/.test(error.code);
