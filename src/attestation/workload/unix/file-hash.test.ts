import assert from 'node:assert/strict';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../../../test/support/children.js';
import { sha256Hex } from '../../../base/digest.js';
import { fileHashes } from './file-hash.js';

test('S23, S30: a user with many large programs waits for himself, and holds up nobody else', async (t) => {
  const proc = temporaryFolder(t);
  const program = (pid: number, bytes: number) => {
    mkdirSync(join(proc, String(pid)));
    writeFileSync(join(proc, `${pid}/exe`), String(pid));
    truncateSync(join(proc, `${pid}/exe`), bytes);
  };
  const hashOf = fileHashes({ maxBytes: 1 << 30, proc });
  const done: string[] = [];
  const crowd = Array.from({ length: 8 }, (_, index) => {
    program(index, 32 << 20);
    return hashOf({ pid: index, uid: 1000 }).then(() => done.push('crowd'));
  });
  program(100, 100);
  const other = hashOf({ pid: 100, uid: 2000 }).then((hash) => {
    done.push('other');
    return hash;
  });
  const expected = Buffer.alloc(100);
  expected.write('100');
  assert.equal(await other, sha256Hex(expected));
  assert.ok(done.length <= 3, `${done}`);
  await Promise.all(crowd);
  assert.equal(done.length, 9);
});
