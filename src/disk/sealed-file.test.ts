import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { temporaryFolder } from '../../test/support/children.js';
import { accessOf } from './private-file.js';
import { sealedFile } from './sealed-file.js';

test('what was written is read again, also by the next process, and shows in no file', async (t) => {
  const folder = temporaryFolder(t);
  await sealedFile(folder, 'kept').write('agent one', 'a secret text');
  assert.equal(sealedFile(folder, 'kept').read('agent one'), 'a secret text');
  await sealedFile(folder, 'kept').write('agent one', 'another secret text');
  assert.equal(sealedFile(folder, 'kept').read('agent one'), 'another secret text');
  for (const name of readdirSync(folder)) {
    assert.equal(accessOf(statSync(join(folder, name))).mode, '0600');
    assert.doesNotMatch(readFileSync(join(folder, name), 'latin1'), /secret/);
  }
});

test('it is nothing before the first write and after it was removed', async (t) => {
  const folder = temporaryFolder(t);
  const file = sealedFile(folder, 'kept');
  assert.equal(file.read('agent one'), undefined);
  await file.write('agent one', 'text');
  file.remove();
  file.remove();
  assert.equal(file.read('agent one'), undefined);
  assert.deepEqual(readdirSync(folder), []);
});

test('any byte that is changed, cut off or added refuses the whole text', async (t) => {
  const folder = temporaryFolder(t);
  const file = sealedFile(folder, 'kept');
  await file.write('agent one', 'some text of some length');
  const whole = readFileSync(file.path);
  const refused = (bytes: Uint8Array) => {
    writeFileSync(file.path, bytes);
    assert.throws(() => file.read('agent one'));
  };
  const place = fc.nat({ max: whole.length - 1 });
  fc.assert(
    fc.property(place, fc.integer({ min: 1, max: 255 }), (at, change) => {
      const bytes = Buffer.from(whole);
      bytes.writeUInt8((bytes[at] ?? 0) ^ change, at);
      refused(bytes);
      refused(whole.subarray(0, at));
      refused(Buffer.concat([whole, Buffer.from([change])]));
    }),
    { numRuns: 50 },
  );
});

test('it is of no use under another binding, beside another key, or without its key', async (t) => {
  const [folder, foreign] = [temporaryFolder(t), temporaryFolder(t)];
  const file = sealedFile(folder, 'kept');
  await file.write('agent one', 'text');
  assert.throws(() => file.read('agent two'), /damaged, or somebody else wrote it/);
  const other = sealedFile(foreign, 'kept');
  await other.write('agent one', 'text');
  copyFileSync(file.path, other.path);
  assert.throws(() => other.read('agent one'), /damaged, or somebody else wrote it/);
  rmSync(`${file.path}.key`);
  assert.throws(() => file.read('agent one'), /its key is gone/);
  await file.write('agent one', 'anew');
  assert.equal(file.read('agent one'), 'anew');
});

test('a text or a key that others could read or change is refused', async (t) => {
  const file = sealedFile(temporaryFolder(t), 'kept');
  await file.write('agent one', 'text');
  for (const path of [file.path, `${file.path}.key`]) {
    chmodSync(path, 0o644);
    assert.throws(() => file.read('agent one'), /other users have access/);
    chmodSync(path, 0o600);
  }
});
