import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, copyFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { findEnvoy } from '../../src/demo/envoy-binary.js';
import { temporaryFolder } from '../support/children.js';

const program = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

interface Figures {
  calls: {
    from: string;
    to: string;
    method: string;
    path: string;
    expected: string;
    status: number;
    rule: string;
  }[];
  policy_flip: { saved_to_enforced_ms: number; same_connection: boolean; failed_requests: number };
  rotation: { connections_kept: number; failed_requests: number };
  started_ms: number;
  total_ms: number;
}

test('plastron demo --json: allowed and denied by rule, a flip on one connection, a rotation without a failure', async (t) => {
  const demo = startDemo(t, ['--json']);
  assert.equal(await demo.ended(), 0, demo.stderr());
  const lines = demo.stdout().trim().split('\n');
  assert.equal(lines.length, 1);
  const figures = JSON.parse(lines[0] ?? '') as Figures;
  assert.deepEqual(Object.keys(figures), ['calls', 'policy_flip', 'rotation', 'started_ms', 'total_ms']);

  for (const call of figures.calls) assert.equal(call.status, call.expected === 'allow' ? 200 : 403);
  const decided = figures.calls.map(({ from, method, path, rule }) => `${from} ${method} ${path}: ${rule}`);
  assert.ok(
    decided.some((line) => /^web GET \/v1\/orders\/7: .*web-reads$/.test(line)),
    decided.join('\n'),
  );
  assert.ok(decided.includes('web DELETE /v1/orders/7: default-deny'), decided.join('\n'));
  const intruder = figures.calls.filter(({ from }) => from === 'intruder');
  assert.ok(intruder.length >= 3 && intruder.every(({ status }) => status === 403));
  assert.ok(intruder.some(({ rule }) => rule.endsWith(':banned')));

  const { saved_to_enforced_ms, ...flip } = figures.policy_flip;
  assert.equal(typeof saved_to_enforced_ms, 'number');
  assert.deepEqual(flip, { same_connection: true, failed_requests: 0 });
  assert.deepEqual(figures.rotation, { connections_kept: 4, failed_requests: 0 });
  assert.ok(figures.started_ms < figures.total_ms);
  assert.deepEqual(demo.folders(), []);
});

const otherUser = 65_534;
const asOther = process.getuid?.() === 0 ? false : 'needs root, to become an unprivileged user';

test('the demo of an unprivileged user says that one user is no isolation', { skip: asOther }, async (t) => {
  const place = temporaryFolder(t);
  // Its home: another user can read neither ours nor what is in it.
  const envoy = join(place, 'envoy');
  copyFileSync(await findEnvoy(process.env, console.error), envoy);
  for (const path of [place, envoy]) chownSync(path, otherUser, otherUser);
  const demo = startDemo(t, [], { place, user: otherUser, envoy });
  assert.equal(await demo.ended(), 0, demo.stderr());
  assert.match(demo.stdout(), /isolates nothing/);
  assert.match(demo.stdout(), /everything was as expected/);
  assert.deepEqual(demo.folders(), []);
});

test('two demos run at once, and Ctrl-C ends all processes of one and removes its sockets', async (t) => {
  const place = temporaryFolder(t);
  const [one, other] = [startDemo(t, [], { place }), startDemo(t, [], { place })];
  const [pids, others] = [await one.up(), await other.up()];
  one.process.kill('SIGINT');
  assert.equal(await one.ended(), 'SIGINT');
  assert.deepEqual(pids.filter(isRunning), []);
  assert.ok(others.every(isRunning));
  other.process.kill('SIGINT');
  assert.equal(await other.ended(), 'SIGINT');
  assert.deepEqual(others.filter(isRunning), []);
  assert.deepEqual(other.folders(), []);
});

test('kill -9 of the demo leaves no process, and the next run removes the sockets', async (t) => {
  const demo = startDemo(t, []);
  const pids = await demo.up();
  demo.process.kill('SIGKILL');
  assert.equal(await demo.ended(), 'SIGKILL');
  while (pids.some(isRunning)) await sleep(10);
  const [left = ''] = demo.folders();
  assert.ok(left);

  const next = startDemo(t, ['--json'], { place: demo.place });
  while (existsSync(left)) await sleep(10);
  next.process.kill('SIGTERM');
  assert.equal(await next.ended(), 'SIGTERM');
  assert.deepEqual(next.folders(), []);
});

interface Setting {
  /** The folder that holds what is temporary; a new one if left out. */
  place?: string;
  /** Another user, whose home `place` is. */
  user?: number;
  /** The Envoy to run; left out: whatever the demo finds. */
  envoy?: string;
}

function startDemo(
  t: TestContext,
  options: string[],
  { place = temporaryFolder(t), user, envoy }: Setting = {},
) {
  // Services that are users of their own go through it.
  chmodSync(place, 0o711);
  const { XDG_RUNTIME_DIR: _, ...env } = process.env;
  const child = spawn(process.execPath, [program, 'demo', ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...env, TMPDIR: place, ...(envoy ? { ENVOY_BIN: envoy } : {}), ...(user ? { HOME: place } : {}) },
    ...(user === undefined ? {} : { uid: user, gid: user }),
  });
  t.after(() => child.kill('SIGKILL'));
  const [stdout, stderr] = [collect(child, 'stdout'), collect(child, 'stderr')];
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  const folders = () => foldersIn(place);
  return {
    process: child,
    place,
    stdout,
    stderr,
    folders,
    ended: async () => (await ended).find((how) => how !== null),
    /** Once everything runs: the IDs of all processes. */
    up: async () => {
      while (!stdout().includes('up after') && child.exitCode === null) await sleep(20);
      const own = folders().find((folder) => folder.endsWith(`/${child.pid}`));
      const pids = readFileSync(join(`${own}`, 'pids'), 'utf8')
        .trim()
        .split('\n')
        .map(Number);
      assert.equal(pids.length, 7, stderr());
      assert.ok(pids.every(isRunning));
      return pids;
    },
  };
}

function collect(child: ChildProcess, stream: 'stdout' | 'stderr'): () => string {
  let text = '';
  child[stream]?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  return () => text;
}

/** The folders of runs of the demo that are there. */
function foldersIn(place: string): string[] {
  const bases = readdirSync(place).filter((name) => name.startsWith('plastron-demo-'));
  return bases.flatMap((base) => readdirSync(join(place, base)).map((run) => join(place, base, run)));
}

function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
