import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  lstatSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../test/support/children.js';
import { isFault } from '../base/faults/fault.js';
import type { FaultCode } from '../base/faults/table.js';
import { serveUnix } from './unix-server.js';

const serve = (path: string, mode = 0o600) => serveUnix({ path, mode, services: [] });

const refuses = (path: string, code: FaultCode) =>
  assert.rejects(serve(path), (error) => isFault(error, code), code);

/** A socket that nobody listens on any more, as a killed process leaves it. */
async function staleSocket(path: string): Promise<void> {
  const server = createServer();
  const elsewhere = `${path}.old`;
  await new Promise<void>((resolve) => server.listen(elsewhere, resolve));
  // Closing removes the path that was bound, and no other.
  renameSync(elsewhere, path);
  await new Promise((resolve) => server.close(resolve));
  assert.ok(lstatSync(path).isSocket());
}

test('S27: the socket has exactly the mode that was asked for, whatever the umask, and goes with its server', async (t) => {
  const folder = temporaryFolder(t);
  for (const [umask, mode] of [
    [0o077, 0o777],
    [0o000, 0o600],
  ] as const) {
    const path = join(folder, `s${mode}`);
    const before = process.umask(umask);
    const serving = serve(path, mode);
    const server = await serving.finally(() => process.umask(before));
    assert.equal(statSync(path).mode & 0o777, mode);
    await server.close();
    assert.equal(existsSync(path), false);
  }
});

test('S27: a socket that nobody listens on is replaced, one that somebody does is not', async (t) => {
  const path = join(temporaryFolder(t), 's');
  await staleSocket(path);
  const server = await serve(path);
  t.after(() => server.close());
  await refuses(path, 'TRN0107');
});

test('S27: what is not a socket is left alone, and no link is followed', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'f');
  writeFileSync(file, 'precious');
  await refuses(file, 'TRN0106');
  assert.equal(readFileSync(file, 'utf8'), 'precious');
  const target = join(folder, 't');
  await staleSocket(target);
  const link = join(folder, 'l');
  symlinkSync(target, link);
  await refuses(link, 'TRN0106');
  assert.ok(lstatSync(target).isSocket());
  await refuses(folder, 'TRN0106');
});

test('S27: a folder that others may write to is refused, except one like /tmp', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 's');
  for (const mode of [0o777, 0o770]) {
    chmodSync(folder, mode);
    await refuses(path, 'TRN0105');
  }
  chmodSync(folder, 0o1777);
  const server = await serve(path);
  await server.close();
});

test('S27: a folder that is missing is made, for its owner to write to', async (t) => {
  const folder = join(temporaryFolder(t), 'a', 'b');
  const server = await serve(join(folder, 's'));
  t.after(() => server.close());
  assert.equal(statSync(folder).mode & 0o022, 0);
});

test('a path that the kernel would cut off is refused', async (t) => {
  const folder = temporaryFolder(t);
  await refuses(join(folder, 'x'.repeat(107 - folder.length)), 'TRN0104');
  const server = await serve(join(folder, 'x'.repeat(106 - folder.length)));
  await server.close();
});

test('a folder that cannot be used is said with its reason', async (t) => {
  const file = join(temporaryFolder(t), 'f');
  writeFileSync(file, '');
  await refuses(join(file, 's'), 'TRN0105');
});
