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
import { type Authority, createAuthority } from './authority.js';
import { loadAuthorities, saveAuthorities } from './authority-file.js';
import { createJwtSigner } from './jwt-signer.js';
import { diskKeys } from './key-manager.js';
import { newLocalKey } from './signing-key.js';

const trustDomain = parseTrustDomain('shop.example');
const authority = await createAuthority({ trustDomain, ttlSeconds: 3600, now: Date.now() }, newLocalKey());
const other = await createAuthority({ trustDomain, ttlSeconds: 3600, now: Date.now() }, newLocalKey());

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'plastron-ca-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const jwt = [createJwtSigner({ ttlSeconds: 3600, now: Date.now() }, newLocalKey())];
const setOf = (...x509: Authority[]) => ({ x509, jwt });

const load = (path: string) => loadAuthorities(path, trustDomain, diskKeys);

const isRefused = (path: string, code: FaultCode) =>
  assert.rejects(load(path), (error) => isFault(error, code));

const comparable = ({ key, ...others }: Authority) => ({
  ...others,
  key: key.kind === 'local' && key.privateKey.export({ format: 'jwk' }),
});

test('authorities come back from the file as they were', async (t) => {
  const path = join(temporaryFolder(t), 'ca', 'authorities.pem');
  assert.equal(await load(path), undefined);
  await saveAuthorities(path, setOf(authority, other));
  const loaded = await load(path);
  assert.deepEqual(loaded?.x509.map(comparable), [authority, other].map(comparable));
});

test('S28: the file is 0600 in a folder of 0700, whatever the umask, and nothing is left beside it', async (t) => {
  const folder = join(temporaryFolder(t), 'ca');
  const path = join(folder, 'authorities.pem');
  await saveAuthorities(path, setOf(authority));
  await saveAuthorities(path, setOf(authority, other));
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  assert.equal(existsSync(`${path}.new`), false);
});

test('S28: a file that others may read or write is refused, and so is a folder that others may write to', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'authorities.pem');
  await saveAuthorities(path, setOf(authority));
  for (const mode of [0o644, 0o640, 0o604, 0o620, 0o602]) {
    chmodSync(path, mode);
    await isRefused(path, 'CAS0302');
  }
  chmodSync(path, 0o600);
  for (const mode of [0o770, 0o707, 0o1777]) {
    chmodSync(folder, mode);
    await isRefused(path, 'CAS0302');
    await assert.rejects(saveAuthorities(path, setOf(other)), (error) => isFault(error, 'CAS0302'));
  }
  chmodSync(folder, 0o755);
  assert.equal((await load(path))?.x509.length, 1);
});

test('S28: a symbolic link in the place of the file is not followed', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'authorities.pem');
  await saveAuthorities(join(folder, 'elsewhere.pem'), setOf(authority));
  symlinkSync('elsewhere.pem', path);
  await isRefused(path, 'CAS0303');
});

test('S28: what a crash left behind is no hindrance, and is not read', async (t) => {
  const path = join(temporaryFolder(t), 'authorities.pem');
  await saveAuthorities(path, setOf(authority));
  writeFileSync(`${path}.new`, 'half a fi', { mode: 0o644 });
  assert.equal((await load(path))?.x509.length, 1);
  await saveAuthorities(path, setOf(authority, other));
  assert.equal((await load(path))?.x509.length, 2);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('a file that is cut off at any line, or is empty, is refused and never taken for a missing one', async (t) => {
  const path = join(temporaryFolder(t), 'authorities.pem');
  await saveAuthorities(path, setOf(authority));
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  for (let count = 0; count < lines.length; count++) {
    writeFileSync(path, lines.slice(0, count).join('\n'));
    await isRefused(path, 'CAS0301');
  }
});

test('a certificate with the key of another authority is refused', async (t) => {
  const path = join(temporaryFolder(t), 'authorities.pem');
  await saveAuthorities(path, setOf(authority, other));
  const blocks = readFileSync(path, 'utf8').split(/(?=-----BEGIN)/);
  const [, , first = '', , , second = ''] = blocks;
  writeFileSync(path, first + second);
  await isRefused(path, 'CAS0301');
});

test('the authorities of another trust domain are refused', async (t) => {
  const path = join(temporaryFolder(t), 'authorities.pem');
  const elsewhere = parseTrustDomain('other.example');
  await saveAuthorities(
    path,
    setOf(
      authority,
      await createAuthority({ trustDomain: elsewhere, ttlSeconds: 3600, now: Date.now() }, newLocalKey()),
    ),
  );
  await isRefused(path, 'CAS0301');
});

test('a folder that cannot be made is a fault with the code of the operating system', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'file'), '');
  await assert.rejects(saveAuthorities(join(folder, 'file', 'authorities.pem'), setOf(authority)), (error) =>
    isFault(error, 'CAS0303'),
  );
});
