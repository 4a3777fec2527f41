import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  linkSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  copyOfSleep,
  endChild,
  peerOfProcess,
  startChild,
  temporaryFolder,
} from '../../../../test/support/children.js';
import { until } from '../../../../test/support/until.js';
import { sha256Hex } from '../../../base/digest.js';
import { isFault } from '../../../base/faults/fault.js';
import { silentLog } from '../../../telemetry/log.js';
import { workloadAttestation } from '../attest.js';
import { accountNames } from './account-names.js';
import { unixAttestor } from './attestor.js';

const isRoot = process.getuid?.() === 0;
const asRoot = isRoot ? {} : { skip: 'needs root, to start processes of other users' };
const attest = workloadAttestation([unixAttestor()], silentLog);

async function valuesOf(pid: number): Promise<string[]> {
  return (await attest(peerOfProcess(pid))).selectors.map(({ type, value }) => `${type}:${value}`);
}

const executableIn = (values: string[]) => values.filter((value) => /^unix:(path|sha256):/.test(value));

test('S24: a process has its user, group, path and the hash of the file that runs', async (t) => {
  const program = copyOfSleep(temporaryFolder(t), 'orders');
  const child = await startChild(t, program, ['60']);
  const values = await valuesOf(child.pid);
  assert.ok(values.includes(`unix:uid:${process.geteuid?.()}`));
  assert.ok(values.includes(`unix:gid:${process.getegid?.()}`));
  assert.ok(values.includes(`unix:path:${program}`));
  assert.ok(values.includes(`unix:sha256:${sha256Hex(readFileSync(program))}`));
});

test('S24: the name that a process gives itself counts for nothing', async (t) => {
  const program = copyOfSleep(temporaryFolder(t), 'orders');
  const child = await startChild(t, program, ['60'], { argv0: '/usr/bin/trusted' });
  const values = await valuesOf(child.pid);
  assert.ok(values.includes(`unix:path:${program}`));
  assert.ok(!values.some((value) => value.includes('trusted')));
});

test('hard links of one program are told apart by path', async (t) => {
  const folder = temporaryFolder(t);
  const web = copyOfSleep(folder, 'web');
  const orders = join(folder, 'orders');
  linkSync(web, orders);
  const child = await startChild(t, orders, ['60']);
  const paths = (await valuesOf(child.pid)).filter((value) => value.startsWith('unix:path:'));
  assert.deepEqual(paths, [`unix:path:${orders}`]);
});

test(
  'names of users and groups come from the account files, effective ids and all supplementary groups',
  asRoot,
  async (t) => {
    const folder = temporaryFolder(t);
    const files = { passwd: join(folder, 'passwd'), group: join(folder, 'group') };
    writeFileSync(files.passwd, '# comment\nfirst:x:4242:4343::/:/bin/sh\nsecond:x:4242:4343::/:/bin/sh\n');
    writeFileSync(files.group, 'staff:x:4343:\nops:x:4444:first\nbroken\n');
    const child = await startChild(t, 'setpriv', [
      ...['--reuid', '4242', '--regid', '4343', '--groups', '4444,4545'],
      ...['sleep', '60'],
    ]);
    await until(() => /^Name:\tsleep$/m.test(readFileSync(`/proc/${child.pid}/status`, 'latin1')));
    const { selectors } = await unixAttestor({ names: accountNames(files) }).attest(peerOfProcess(child.pid));
    assert.deepEqual(
      selectors.map(({ value }) => value).filter((value) => !/^(path|sha256):/.test(value)),
      [
        'uid:4242',
        'user:first',
        'gid:4343',
        'group:staff',
        'supplementary_gid:4444',
        'supplementary_group:ops',
        'supplementary_gid:4545',
      ],
    );
  },
);

test('S24: a deleted executable gives neither path nor hash', async (t) => {
  const program = copyOfSleep(temporaryFolder(t), 'orders');
  const child = await startChild(t, program, ['60']);
  rmSync(program);
  const values = await valuesOf(child.pid);
  assert.deepEqual(executableIn(values), []);
  assert.ok(values.includes(`unix:uid:${process.geteuid?.()}`));
});

test('S24: an executable that was replaced by another under its name gives neither path nor hash', async (t) => {
  const folder = temporaryFolder(t);
  const program = copyOfSleep(folder, 'orders');
  const child = await startChild(t, program, ['60']);
  rmSync(program);
  copyFileSync('/bin/cat', program);
  assert.deepEqual(executableIn(await valuesOf(child.pid)), []);
});

const mountNamespaces =
  spawnSync('unshare', ['--mount', 'true']).status === 0
    ? {}
    : { skip: 'needs root, to make mount namespaces' };

test(
  'S24: a process in another mount namespace can show any path, so it gets none',
  mountNamespaces,
  async (t) => {
    const folder = temporaryFolder(t);
    const trusted = copyOfSleep(folder, 'trusted');
    const evil = join(folder, 'evil');
    copyFileSync('/bin/sleep', evil);
    writeFileSync(evil, 'trailing bytes make another file of it', { flag: 'a' });
    const script = `mount --bind ${evil} ${trusted} && exec ${trusted} 60`;
    const child = await startChild(t, 'unshare', ['--mount', 'sh', '-c', script]);
    await until(() => /^Name:\ttrusted$/m.test(readFileSync(`/proc/${child.pid}/status`, 'latin1')));
    assert.deepEqual(executableIn(await valuesOf(child.pid)), [
      `unix:sha256:${sha256Hex(readFileSync(evil))}`,
    ]);
  },
);

test('S24: an overmounted executable gives neither path nor hash', mountNamespaces, async (t) => {
  const program = copyOfSleep(temporaryFolder(t), 'orders');
  const script = `
    import { spawn, spawnSync } from 'node:child_process';
    import { once } from 'node:events';
    const { unixAttestor } = await import(process.argv[1]);
    const { peerOfProcess } = await import(process.argv[2]);
    const child = spawn(process.argv[3], ['60']);
    await once(child, 'spawn');
    spawnSync('mount', ['--bind', '/bin/cat', process.argv[3]]);
    const { selectors } = await unixAttestor().attest(peerOfProcess(child.pid));
    child.kill('SIGKILL');
    console.log(JSON.stringify(selectors.map(({ value }) => value)));`;
  const modules = ['./attestor.js', '../../../../test/support/children.js'].map(
    (path) => new URL(path, import.meta.url).href,
  );
  const { stdout } = spawnSync(
    'unshare',
    ['--mount', process.execPath, '--input-type=module', '-e', script, ...modules, program],
    { encoding: 'utf8' },
  );
  const values = JSON.parse(stdout) as string[];
  assert.ok(values.includes(`uid:${process.geteuid?.()}`));
  assert.ok(!values.some((value) => /^(path|sha256):/.test(value)), stdout);
});

test('S23: a file above the size limit is not hashed, its path still counts', async (t) => {
  const program = copyOfSleep(temporaryFolder(t), 'orders');
  const child = await startChild(t, program, ['60']);
  const small = unixAttestor({ maxHashedBytes: 1000 });
  const { selectors } = await small.attest(peerOfProcess(child.pid));
  const values = selectors.map(({ value }) => value);
  assert.ok(values.includes(`path:${program}`));
  assert.ok(!values.some((value) => value.startsWith('sha256:')));
});

test('S23: a forged modification time does not bring back the hash of older content', async (t) => {
  const folder = temporaryFolder(t);
  const program = join(folder, 'orders');
  const before = readFileSync('/bin/sleep');
  const times = new Date(1_700_000_000_000);
  writeFileSync(program, before, { mode: 0o755 });
  utimesSync(program, times, times);
  const first = await startChild(t, program, ['60']);
  const old = executableIn(await valuesOf(first.pid));
  await endChild(first);

  const after = Buffer.from(before);
  after[after.length - 1] = (after.at(-1) ?? 0) ^ 1;
  writeFileSync(program, after);
  utimesSync(program, times, times);
  const second = await startChild(t, program, ['60']);
  const found = executableIn(await valuesOf(second.pid));
  assert.notDeepEqual(found, old);
  assert.ok(found.includes(`unix:sha256:${sha256Hex(after)}`));
});

test('S21: a process that executes another program after it was attested is no longer that workload', async (t) => {
  const program = copyOfSleep(temporaryFolder(t), 'other');
  const child = await startChild(t, 'sh', ['-c', `read go; exec ${program} 60`]);
  const workload = await attest(peerOfProcess(child.pid));
  assert.equal(workload.isAlive(), true);
  child.stdin?.write('go\n');
  await until(() => /^Name:\tother$/m.test(readFileSync(`/proc/${child.pid}/status`, 'latin1')));
  assert.equal(workload.isAlive(), false);
});

test('S21: a process that ended is no longer that workload, and cannot be attested any more', async (t) => {
  const child = await startChild(t, 'sleep', ['60']);
  const peer = peerOfProcess(child.pid);
  const workload = await attest(peer);
  await endChild(child);
  assert.equal(workload.isAlive(), false);
  await assert.rejects(attest(peer), (error) => isFault(error, 'ATT0102'));
});

test('S21: a process that changed its user after it connected is refused', async (t) => {
  const child = await startChild(t, 'sleep', ['60']);
  const peer = peerOfProcess(child.pid);
  for (const connectedAs of [
    { ...peer, uid: peer.uid + 1 },
    { ...peer, gid: peer.gid + 1 },
  ]) {
    await assert.rejects(attest(connectedAs), (error) => isFault(error, 'ATT0104'));
  }
});

test('S25: a process that cannot be looked at is refused', async (t) => {
  const child = await startChild(t, 'sleep', ['60']);
  const blind = unixAttestor({ proc: temporaryFolder(t) });
  await assert.rejects(blind.attest(peerOfProcess(child.pid)), (error) => isFault(error, 'ATT0103'));
});

test('S25: an executable that the agent may not look at costs only path and hash', asRoot, async (t) => {
  const child = await startChild(t, 'sleep', ['60']);
  const script = `
    const { unixAttestor } = await import(process.argv[1]);
    const { peerOfProcess } = await import(process.argv[2]);
    const { selectors } = await unixAttestor().attest(peerOfProcess(Number(process.argv[3])));
    console.log(JSON.stringify(selectors.map(({ value }) => value)));`;
  const modules = ['./attestor.js', '../../../../test/support/children.js'].map(
    (path) => new URL(path, import.meta.url).href,
  );
  const { stdout } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', script, ...modules, String(child.pid)],
    { encoding: 'utf8', uid: 4242, gid: 4242, cwd: '/' },
  );
  const values = JSON.parse(stdout) as string[];
  assert.ok(values.includes('uid:0'));
  assert.ok(!values.some((value) => /^(path|sha256):/.test(value)), stdout);
});

test('S22: a thousand attestations of short-lived callers leave no open file behind', async (t) => {
  const openFiles = () => readdirSync('/proc/self/fd').length;
  const child = await startChild(t, 'sleep', ['60']);
  const living = peerOfProcess(child.pid);
  const gone = { ...living, pid: 4_194_303 };
  await attest(living);
  const before = openFiles();
  for (let round = 0; round < 500; round++) {
    await Promise.allSettled([attest(living), attest(gone)]);
  }
  assert.equal(openFiles(), before);
});
