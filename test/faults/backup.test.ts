import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { backUp } from '../support/backup.js';
import { temporaryFolder } from '../support/children.js';
import { plastron } from '../support/plastron.js';
import { createEntries, endOf, entryApi, entryMessage } from '../support/running-server.js';
import { startLife } from '../support/server-life.js';
import { smallDisk, smallDiskMissing } from '../support/small-disk.js';

const skip = smallDiskMissing();

/** Runs a program in the namespace of a small disk; gives its exit code and what it said on stderr. */
async function run(command: readonly string[], ...args: string[]): Promise<{ code: number; err: string }> {
  const [program = '', ...before] = command;
  try {
    const { stderr } = await promisify(execFile)(program, [...before, ...args], {
      env: { PATH: process.env.PATH },
    });
    return { code: 0, err: stderr };
  } catch (error) {
    const { code, stderr } = error as { code: number; stderr: string };
    return { code, err: stderr };
  }
}

test('S37: a disk that is full when a backup is made: it is refused with the way out, leaves nothing, and the server goes on', {
  skip,
}, async (t) => {
  const disk = await smallDisk(t, 24);
  const folder = temporaryFolder(t);
  const life = await startLife(t, { dataDir: join(disk.folder, 'data'), folder, command: disk.command });
  await createEntries(life, entryMessage('/web', '/node/demo', ['unix:uid:1']));
  disk.fill();
  await assert.rejects(backUp(life, join(folder, 'backup')), /STO0201: .* is full.*\(make room on the disk/);
  const { err: listed } = await run(disk.command, 'sh', '-c', `ls ${disk.folder}/data >&2`);
  assert.deepEqual(
    listed
      .trim()
      .split('\n')
      .filter((name) => name.includes('backup')),
    [],
  );
  assert.equal((await endOf(life.admin.unary(entryApi.ListEntries, {}))).status, 'OK');
  disk.free();
  await createEntries(life, entryMessage('/orders', '/node/demo', ['unix:uid:1']));
  await backUp(life, join(folder, 'backup'));
});

test('a backup onto a disk that is full is refused with the way out, and leaves nothing', {
  skip,
}, async (t) => {
  const disk = await smallDisk(t, 4);
  const folder = temporaryFolder(t);
  await startLife(t, { dataDir: join(folder, 'data'), folder });
  disk.fill();
  const [socket, out] = [join(folder, 'a.sock'), join(disk.folder, 'backup')];
  const backup = [process.execPath, plastron, 'server', 'backup', '--admin-socket', socket, '--out', out];
  const { code, err } = await run(disk.command, ...backup);
  assert.equal(code, 2, err);
  assert.match(err, /CLI0804.*ENOSPC/);
  const { err: listed } = await run(disk.command, 'sh', '-c', `ls ${disk.folder} >&2`);
  assert.deepEqual(listed.trim().split('\n'), ['filler']);
});

test('a disk that is full when a backup is restored: what was there stays, and it works once there is room', {
  skip,
}, async (t) => {
  const disk = await smallDisk(t, 8);
  const folder = temporaryFolder(t);
  const dataDir = join(disk.folder, 'data');
  const life = await startLife(t, { dataDir, folder, command: disk.command });
  await createEntries(life, entryMessage('/web', '/node/demo', ['unix:uid:1']));
  const path = await backUp(life, join(folder, 'backup'));
  await life.kill();
  disk.fill();
  const restore = [
    process.execPath,
    plastron,
    'server',
    'restore',
    '--from',
    path,
    '--data-dir',
    dataDir,
    '--force',
  ];
  const { code, err } = await run(disk.command, ...restore);
  assert.equal(code, 1, err);
  assert.match(err, /STO0508.*ENOSPC/);
  const { err: listed } = await run(disk.command, 'sh', '-c', `ls ${dataDir} >&2`);
  assert.deepEqual(
    listed
      .trim()
      .split('\n')
      .filter((name) => name.includes('restore')),
    [],
  );
  disk.free();
  assert.equal((await run(disk.command, ...restore)).code, 0);
  const again = await startLife(t, { dataDir, folder, command: disk.command });
  const { entries = [] } = await again.admin.unary(entryApi.ListEntries, {});
  assert.deepEqual(
    entries.map(({ spiffe_id }) => spiffe_id?.path),
    ['/web'],
  );
});
