import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../test/support/children.js';
import { createEntries, entryApi, entryMessage, runningServer } from '../../test/support/running-server.js';
import { startLife } from '../../test/support/server-life.js';
import { transcript } from '../../test/support/transcript.js';
import { until } from '../../test/support/until.js';
import { memoryKeys } from '../ca/key-manager.js';
import type { GrpcConnection } from '../transport/grpc-client.js';
import { runProgram } from './program.js';

async function plastron(...args: string[]): Promise<{ code: number; err: string }> {
  let err = '';
  const stderr = {
    write: (text: string | Uint8Array) => {
      err += text;
    },
  };
  const code = await runProgram(args, { stdout: { write: () => {} }, stderr, env: {}, cwd: '/' });
  return { code, err };
}

test('a backup is made, shown, restored and made again, and nothing is replaced unless asked to', async (t) => {
  const { adminSocket, admin } = await runningServer(t);
  await createEntries({ admin }, entryMessage('/web', '/node/demo', ['unix:uid:1']));
  const lines = [
    'server backup --out a.backup',
    'server backup --out a.backup',
    'server restore --from a.backup --dry-run',
    'server restore --from a.backup',
    'server restore --from a.backup --data-dir data --trust-domain other.example',
    'server restore --from a.backup --data-dir data --trust-domain shop.example',
    'server restore --from a.backup --data-dir data',
    'server restore --from a.backup --data-dir new --store postgres://plastron@localhost/plastron',
    'server restore --from none.backup --data-dir data',
  ];
  const shown = await transcript(t, {}, lines, { PLASTRON_ADMIN_SOCKET: adminSocket });
  assert.equal(
    shown
      .replaceAll(/\d+ bytes/g, 'N bytes')
      .replaceAll(/version \d+/g, 'version N')
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z \([^)]+\)/g, 'TIME')
      .replaceAll(/`\/\S*\/(a\.backup|data|none\.backup)`/g, '`…/$1`'),
    `$ plastron server backup --out a.backup
+ a.backup
${contents}err| keep it as secret as the keys in it
exit 0

$ plastron server backup --out a.backup
err| error[CLI0801]: the file \`a.backup\` is there already
err|   = help: write into another folder, or give --force to replace it
err|   = more: run \`plastron explain CLI0801\`
exit 1

$ plastron server restore --from a.backup --dry-run
✓ a.backup can be restored
${contents}exit 0

$ plastron server restore --from a.backup
err| error: required option '--data-dir <dir>' not specified
err|   = help: add --help for options and examples
exit 2

$ plastron server restore --from a.backup --data-dir data --trust-domain other.example
err| error[STO0504]: the backup \`…/a.backup\` is of the trust domain \`shop.example\`, not of \`other.example\`
err|   = help: use a backup of this trust domain; nothing was changed
err|   = more: run \`plastron explain STO0504\`
exit 1

$ plastron server restore --from a.backup --data-dir data --trust-domain shop.example
+ data
${contents}err| now start the server, ban and evict again whom you did since the backup, and make new join tokens
exit 0

$ plastron server restore --from a.backup --data-dir data
err| error[STO0506]: the data directory \`…/data\` is not empty: authorities.pem, server.db
err|   = help: name an empty folder, or give --force, which moves what is there into a folder beside what is restored
err|   = more: run \`plastron explain STO0506\`
exit 1

$ plastron server restore --from a.backup --data-dir new --store postgres://plastron@localhost/plastron
err| error[STO0510]: the backup \`…/a.backup\` cannot be restored like that: it has a database of its own
err|   = help: name with --store or --store-file the database that was restored by its own tools, and only then
err|   = more: run \`plastron explain STO0510\`
exit 2

$ plastron server restore --from none.backup --data-dir data
err| error[STO0507]: the backup \`…/none.backup\` cannot be read: ENOENT
err|   = help: check the name, and that this user may read the file
err|   = more: run \`plastron explain STO0507\`
exit 2
`,
  );
});

const contents = `  trust domain       shop.example
  made               TIME
  size               N bytes
  database           version N
  entries            1
  nodes              0, 0 of them banned
  federated bundles  0
  join tokens        0, which end with a restore
  X.509 authorities  ends TIME, its key is in the backup
  JWT authorities    ends TIME, its key is in the backup
`;

test('S28: no key is printed, and a backup goes to stdout only when asked to, and never to a terminal', async (t) => {
  const { adminSocket, dataDir } = await runningServer(t);
  const cwd = temporaryFolder(t);
  const run = async (isTTY: boolean, line: string) => {
    const chunks: Uint8Array[] = [];
    const write = (data: string | Uint8Array, written?: () => void) => {
      chunks.push(Buffer.from(data));
      written?.();
    };
    const args = [...line.split(' '), ...(line.includes('backup --') ? ['--admin-socket', adminSocket] : [])];
    const code = await runProgram(args, { stdout: { isTTY, write }, stderr: { write }, env: {}, cwd });
    return { code, printed: Buffer.concat(chunks) };
  };
  const keys = readFileSync(join(dataDir, 'authorities.pem'), 'utf8')
    .split('\n')
    .filter((line) => line.length === 64);
  for (const line of [
    'server backup --out a',
    'server restore --from a --dry-run -o json',
    'server restore --from a --data-dir d',
  ]) {
    const { code, printed } = await run(false, line);
    assert.equal(code, 0, line);
    for (const key of keys) assert.equal(printed.includes(key), false, line);
  }
  assert.equal(statSync(join(cwd, 'a')).mode & 0o777, 0o600);
  const terminal = await run(true, 'server backup --out -');
  assert.equal(terminal.code, 2);
  assert.match(terminal.printed.toString(), /CLI0803/);
  const piped = await run(false, 'server backup --out -');
  assert.equal(piped.code, 0);
  writeFileSync(join(cwd, 'b'), piped.printed, { mode: 0o600 });
  assert.equal((await run(false, 'server restore --from b --dry-run')).code, 0);
});

test('keys that are not on the disk are not in a backup, and the command says so', async (t) => {
  const { adminSocket } = await runningServer(t, { keys: memoryKeys });
  const shown = await transcript(t, {}, [`server backup --out a --admin-socket ${adminSocket}`]);
  assert.equal(shown.match(/its key is NOT in the backup/g)?.length, 2, shown);
});

test('a backup that cannot be written leaves nothing behind', async (t) => {
  const { adminSocket } = await runningServer(t);
  const { code, err } = await plastron(
    'server',
    'backup',
    '--admin-socket',
    adminSocket,
    '--out',
    '/proc/none/a',
  );
  assert.equal(code, 2);
  assert.match(err, /CLI0804.*ENOENT/);
  const folder = temporaryFolder(t);
  const gone = await plastron(
    'server',
    'backup',
    '--admin-socket',
    join(folder, 'none'),
    '--out',
    join(folder, 'a'),
  );
  assert.equal(gone.code, 4);
  assert.deepEqual(readdirSync(folder), []);
});

test('a backup under writes has everything that was acknowledged before, and is of one moment', async (t) => {
  const folder = temporaryFolder(t);
  const life = await startLife(t, { folder, dataDir: join(folder, 'data') });
  const lanes = await Promise.all([1, 2, 3].map((lane) => startWriter(life.admin, lane)));
  await until(() => lanes.every(({ written }) => written.acknowledged >= 20));
  const before = lanes.map(({ written }) => written.acknowledged);
  const backup = [
    'server',
    'backup',
    '--admin-socket',
    join(folder, 'a.sock'),
    '--out',
    join(folder, 'backup'),
  ];
  const { code, err } = await plastron(...backup);
  assert.equal(code, 0, err);
  const after = lanes.map(({ written }) => written.acknowledged);
  await life.kill();
  await Promise.all(lanes.map(({ ended }) => ended));
  rmSync(join(folder, 'data'), { recursive: true });
  const restore = await plastron(
    'server',
    'restore',
    '--from',
    join(folder, 'backup'),
    '--data-dir',
    join(folder, 'data'),
  );
  assert.equal(restore.code, 0, restore.err);
  const again = await startLife(t, { folder, dataDir: join(folder, 'data') });
  for (const [index, { ids }] of lanes.entries()) {
    const [first = 0, second = 0, third = 0] = await hintsOf(again.admin, ids);
    assert.ok(third >= (before[index] ?? 0), `lane ${index} lost something`);
    assert.ok(first <= (after[index] ?? 0) + 1);
    // The first two are written together, the third one once that was acknowledged.
    assert.equal(first, second);
    assert.ok(third === first || third === first - 1, `${third} is not of the moment of ${first}`);
  }
});

/** Writes 1, 2, 3, … into two entries at once, and each number then into a third one, until the server is gone. */
async function startWriter(admin: GrpcConnection, lane: number) {
  const names = ['a', 'b', 'c'].map((name) => `/${name}${lane}`);
  const entries = names.map((name) => entryMessage(name, '/node', ['unix:uid:1'], { hint: '0' }));
  const ids = await createEntries({ admin }, ...entries);
  const written = { acknowledged: 0 };
  const set = (hint: number, ...of: string[]) =>
    admin.unary(entryApi.BatchUpdateEntry, {
      entries: of.map((id) => ({ id, hint: String(hint) })),
      input_mask: { hint: true },
    });
  const write = async () => {
    for (;;) {
      const next = written.acknowledged + 1;
      await set(next, ...ids.slice(0, 2));
      await set(next, ...ids.slice(2));
      written.acknowledged = next;
    }
  };
  return { ids, written, ended: write().catch(() => {}) };
}

async function hintsOf(admin: GrpcConnection, ids: readonly string[]): Promise<number[]> {
  return Promise.all(ids.map(async (id) => Number((await admin.unary(entryApi.GetEntry, { id })).hint)));
}
