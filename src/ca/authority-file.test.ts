import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isFault } from '../base/faults/fault.js';
import type { FaultCode } from '../base/faults/table.js';
import { parseTrustDomain } from '../spiffe/id.js';
import { createAuthority } from './authority.js';
import { loadAuthorities, saveAuthorities } from './authority-file.js';

const trustDomain = parseTrustDomain('shop.example');
const authority = createAuthority({ trustDomain, ttlSeconds: 3600, now: Date.now() });
const other = createAuthority({ trustDomain, ttlSeconds: 3600, now: Date.now() });

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'plastron-ca-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const isRefused = (path: string, code: FaultCode) =>
  assert.throws(
    () => loadAuthorities(path, trustDomain),
    (error) => isFault(error, code),
  );

test('authorities come back from the file as they were', (t) => {
  const path = join(temporaryFolder(t), 'ca', 'authorities.pem');
  assert.equal(loadAuthorities(path, trustDomain), undefined);
  saveAuthorities(path, [authority, other]);
  const loaded = loadAuthorities(path, trustDomain);
  assert.deepEqual(
    loaded?.map(({ privateKey, ...rest }) => ({ ...rest, key: privateKey.export({ format: 'jwk' }) })),
    [authority, other].map(({ privateKey, ...rest }) => ({
      ...rest,
      key: privateKey.export({ format: 'jwk' }),
    })),
  );
});

test('S28: the file is 0600 in a folder of 0700, whatever the umask, and nothing is left beside it', (t) => {
  const folder = join(temporaryFolder(t), 'ca');
  const path = join(folder, 'authorities.pem');
  saveAuthorities(path, [authority]);
  saveAuthorities(path, [authority, other]);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  assert.equal(existsSync(`${path}.new`), false);
});

test('S28: a file that others may read or write is refused, and so is a folder that others may write to', (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'authorities.pem');
  saveAuthorities(path, [authority]);
  for (const mode of [0o644, 0o640, 0o604, 0o620, 0o602]) {
    chmodSync(path, mode);
    isRefused(path, 'CAS0302');
  }
  chmodSync(path, 0o600);
  for (const mode of [0o770, 0o707, 0o1777]) {
    chmodSync(folder, mode);
    isRefused(path, 'CAS0302');
    assert.throws(
      () => saveAuthorities(path, [other]),
      (error) => isFault(error, 'CAS0302'),
    );
  }
  chmodSync(folder, 0o755);
  assert.equal(loadAuthorities(path, trustDomain)?.length, 1);
});

test('a symbolic link in the place of the file is not followed', (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'authorities.pem');
  saveAuthorities(join(folder, 'elsewhere.pem'), [authority]);
  symlinkSync('elsewhere.pem', path);
  isRefused(path, 'CAS0303');
});

test('what a crash left behind is no hindrance, and is not read', (t) => {
  const path = join(temporaryFolder(t), 'authorities.pem');
  saveAuthorities(path, [authority]);
  writeFileSync(`${path}.new`, 'half a fi', { mode: 0o644 });
  assert.equal(loadAuthorities(path, trustDomain)?.length, 1);
  saveAuthorities(path, [authority, other]);
  assert.equal(loadAuthorities(path, trustDomain)?.length, 2);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('a file that is cut off at any line, or is empty, is refused and never taken for a missing one', (t) => {
  const path = join(temporaryFolder(t), 'authorities.pem');
  saveAuthorities(path, [authority]);
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  for (let count = 0; count < lines.length; count++) {
    writeFileSync(path, lines.slice(0, count).join('\n'));
    isRefused(path, 'CAS0301');
  }
});

test('a certificate with the key of another authority is refused', (t) => {
  const path = join(temporaryFolder(t), 'authorities.pem');
  saveAuthorities(path, [authority, other]);
  const blocks = readFileSync(path, 'utf8').split(/(?=-----BEGIN)/);
  const [first = '', , , second = ''] = blocks;
  writeFileSync(path, first + second);
  isRefused(path, 'CAS0301');
});

test('the authorities of another trust domain are refused', (t) => {
  const path = join(temporaryFolder(t), 'authorities.pem');
  const elsewhere = parseTrustDomain('other.example');
  saveAuthorities(path, [
    authority,
    createAuthority({ trustDomain: elsewhere, ttlSeconds: 3600, now: Date.now() }),
  ]);
  isRefused(path, 'CAS0301');
});

test('a folder that cannot be made is a fault with the code of the operating system', (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'file'), '');
  assert.throws(
    () => saveAuthorities(join(folder, 'file', 'authorities.pem'), [authority]),
    (error) => isFault(error, 'CAS0303'),
  );
});
