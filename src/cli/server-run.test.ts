import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '../../test/support/children.js';
import {
  attest,
  dial,
  entryApi,
  entryMessage,
  joinToken,
  syncOnce,
} from '../../test/support/running-server.js';
import { transcript } from '../../test/support/transcript.js';
import { pathOf } from '../spiffe/id.js';
import { dialUnix } from '../transport/dial-unix.js';

const main = fileURLToPath(new URL('main.js', import.meta.url));

/** `plastron server run` as a process of its own, ready to be called. */
async function serverProcess(t: TestContext, folder: string) {
  const adminSocket = join(folder, 'admin.sock');
  const args = ['server', 'run', '--trust-domain', 'shop.example', '--data-dir', join(folder, 'data')];
  const child = spawn(
    process.execPath,
    [main, ...args, '--listen', '127.0.0.1:0', '--admin-socket', adminSocket],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  t.after(() => child.kill('SIGKILL'));
  const ready = await lineOf(child, 'the server is ready');
  const admin = dialUnix(adminSocket);
  t.after(() => admin.close());
  return { child, admin, address: String(ready.address), sha256: String(ready.bundleSha256) };
}

async function lineOf(child: ChildProcess, sentence: string): Promise<Record<string, unknown>> {
  assert.ok(child.stderr);
  const seen: string[] = [];
  for await (const line of createInterface({ input: child.stderr })) {
    seen.push(line);
    const fields = line.startsWith('{') ? (JSON.parse(line) as Record<string, unknown>) : {};
    if (fields.msg === sentence) {
      child.stderr.resume();
      return fields;
    }
  }
  throw new Error(`the server ended without saying that ${sentence}:\n${seen.join('\n')}`);
}

test('killed at any moment, the server comes back with its authorities, its agents and every entry that it acknowledged', async (t) => {
  const folder = temporaryFolder(t);
  let server = await serverProcess(t, folder);
  const { sha256 } = server;
  const svid = await attest(dial(t, server), await joinToken(server));
  const acknowledged = new Set<string>();
  for (let round = 0; round < 3; round++) {
    const { admin, child } = server;
    const limit = 5 + Math.floor(Math.random() * 60);
    for (let i = 0; i < limit; i++) {
      const entry = entryMessage(`/r${round}-${i}`, pathOf(svid.id), [`unix:uid:${i}`], {
        id: `r${round}-${i}`,
      });
      const write = admin.unary(entryApi.BatchCreateEntry, { entries: [entry] }).then(
        ({ results }) => {
          if (!results?.[0]?.status?.code) acknowledged.add(entry.id ?? '');
        },
        () => undefined,
      );
      // The last ones are under way when it dies.
      if (i < limit - 3) await write;
    }
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    server = await serverProcess(t, folder);
    assert.equal(server.sha256, sha256);
  }
  const { entries = [] } = await syncOnce(dial(t, server, svid));
  const found = new Set(entries.map(({ id }) => id));
  assert.ok(acknowledged.size >= 6);
  assert.deepEqual(
    [...acknowledged].filter((id) => !found.has(id)),
    [],
  );
  const exited = once(server.child, 'exit');
  server.child.kill('SIGTERM');
  assert.deepEqual(await exited, [0, null]);
});

test('the data directory and the admin socket are for the server’s own user (S27, S28)', async (t) => {
  const folder = temporaryFolder(t);
  await serverProcess(t, folder);
  assert.equal(statSync(join(folder, 'data')).mode & 0o777, 0o700);
  assert.equal(statSync(join(folder, 'data', 'server.db')).mode & 0o777, 0o600);
  assert.equal(statSync(join(folder, 'data', 'authorities.pem')).mode & 0o777, 0o600);
  assert.equal(statSync(join(folder, 'admin.sock')).mode & 0o777, 0o600);
});

test('a server that cannot start says why and what to do', async (t) => {
  const folder = temporaryFolder(t);
  const run = `server run --trust-domain shop.example --admin-socket ${join(folder, 'a.sock')} --listen`;
  const server = await serverProcess(t, folder);
  const shown = await transcript(t, {}, [
    `${run} 127.0.0.1:0 --data-dir ${join(folder, 'data')}`,
    `${run} ${server.address} --data-dir ${join(folder, 'other')}`,
    `${run} nowhere --data-dir data`,
  ]);
  assert.match(shown, /error\[STO0103\]: another process has the database .*\n.*help: stop the other server/);
  assert.match(shown, /error\[TRN0109\]: .*EADDRINUSE\n.*help: stop what else listens there/);
  assert.match(shown, /argument 'nowhere' is invalid. Write HOST:PORT/);
  chmodSync(join(folder, 'other', 'authorities.pem'), 0o644);
  writeFileSync(join(folder, 'file'), '');
  const refused = await transcript(t, {}, [
    `${run} 127.0.0.1:0 --data-dir ${join(folder, 'other')}`,
    `${run} 127.0.0.1:0 --data-dir ${join(folder, 'file')}`,
  ]);
  assert.match(refused, /error\[CAS0302\]: .*authorities.pem. is open to others/);
  assert.match(refused, /error\[STO0101\]: /);
});
