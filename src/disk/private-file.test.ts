import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../test/support/children.js';
import { accessOf, systemErrorCode, writePrivateFile } from './private-file.js';

test('S28: a private file is 0600, replaced as a whole, and nothing is left beside it', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'secret');
  await writePrivateFile(path, 'old');
  await writePrivateFile(path, 'new');
  assert.equal(readFileSync(path, 'utf8'), 'new');
  assert.equal(accessOf(statSync(path)).mode, '0600');
  assert.deepEqual(readdirSync(folder), ['secret']);
});

test('S28: a rest that a crash left behind is replaced, and a link in its place is not followed', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'secret');
  const target = join(folder, 'target');
  writeFileSync(target, 'precious');
  symlinkSync(target, `${path}.new`);
  await writePrivateFile(path, 'new');
  assert.equal(readFileSync(target, 'utf8'), 'precious');
  assert.equal(readFileSync(path, 'utf8'), 'new');
});

test('only errors of the operating system have a name', async (t) => {
  const path = join(temporaryFolder(t), 'missing', 'secret');
  await assert.rejects(writePrivateFile(path, 'new'), (error) => systemErrorCode(error) === 'ENOENT');
  assert.equal(systemErrorCode(Object.assign(new Error(), { code: 'ENOENT' })), undefined);
  assert.equal(systemErrorCode('ENOENT'), undefined);
});
