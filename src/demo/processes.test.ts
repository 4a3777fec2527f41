import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { temporaryFolder } from '../../test/support/children.js';
import { isFault } from '../base/faults/fault.js';
import { type Crew, type Job, openCrew } from './processes.js';
import { serviceUsers } from './service-users.js';

test('a crew starts processes, says which, and ends them all', async (t) => {
  const log = join(temporaryFolder(t), 'log');
  const pids: number[] = [];
  const crew = openCrew({ started: (pid) => pids.push(pid), lost: (error) => assert.fail(error) });
  crew.start({ name: 'one', command: 'sleep', args: ['60'], log });
  crew.start({ name: 'two', command: 'sh', args: ['-c', 'trap "" TERM; echo deaf; exec sleep 60'], log });
  while (!existsSync(log) || readFileSync(log, 'utf8') !== 'deaf\n') await sleep(10);
  assert.equal(pids.filter(isRunning).length, 2);
  await crew.stop();
  assert.equal(pids.filter(isRunning).length, 0);
});

test('a process that ends too early, or never starts, is reported with the last that it said', async (t) => {
  const log = join(temporaryFolder(t), 'log');
  const unlucky = ['-c', 'echo before; echo no luck >&2; exit 3'];
  const early = await lossOf({ name: 'teller', command: 'sh', args: unlucky, log });
  assert.ok(isFault(early, 'DEM0203'));
  assert.match(early.message, /the teller ended too early \(exit code 3\): no luck$/);
  const missing = await lossOf({ name: 'ghost', command: '/nowhere/to/be/found', args: [], log });
  assert.match(missing.message, /the ghost .*\/nowhere\/to\/be\/found/);
});

async function lossOf(job: Job): Promise<Error> {
  let crew: Crew | undefined;
  const error = await new Promise<Error>((lost) => {
    crew = openCrew({ started: () => undefined, lost });
    crew.start(job);
  });
  await crew?.stop();
  return error;
}

test('when the crew is killed without a word, its processes go too', async (t) => {
  await killAndSeeAllGone(t, {});
});

test('when the crew is killed where there is no setpriv, its processes go too', async (t) => {
  await killAndSeeAllGone(t, { withoutSetpriv: true });
});

const user = serviceUsers(1)?.[0];
const notRoot = user === undefined ? 'needs root, to run programs as other users' : false;

test('when the crew is killed, its processes of other users go too', { skip: notRoot }, async (t) => {
  await killAndSeeAllGone(t, { user });
  await killAndSeeAllGone(t, { user, withoutSetpriv: true });
});

interface Setting {
  user?: number | undefined;
  withoutSetpriv?: boolean;
}

/** Two processes: one that was started as a user, and one that changed its user itself, as the demo's applications do. */
async function killAndSeeAllGone(t: TestContext, { user, withoutSetpriv }: Setting): Promise<void> {
  const folder = temporaryFolder(t);
  const become = user === undefined ? '' : `process.setgid(${user}); process.setuid(${user});`;
  const program = `
    import { openCrew } from ${JSON.stringify(new URL('processes.js', import.meta.url).href)};
    const crew = openCrew({ started: (pid) => console.log(pid), lost: (error) => { throw error; } });
    const log = ${JSON.stringify(join(folder, 'log'))};
    crew.start({ name: 'one', command: '/bin/sleep', args: ['60'], log, user: ${user} });
    crew.start({ name: 'two', command: process.execPath, args: ['-e', ${JSON.stringify(`${become}
      console.log('changed'); setInterval(() => {}, 1000);`)}], log });
    setInterval(() => {}, 1000);`;
  const owner = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: withoutSetpriv ? { PATH: '/nowhere' } : process.env,
  });
  t.after(() => owner.kill('SIGKILL'));
  const pids: number[] = [];
  for await (const line of createInterface(owner.stdout)) if (pids.push(Number(line)) === 2) break;
  const log = join(folder, 'log');
  while (!existsSync(log) || readFileSync(log, 'utf8') !== 'changed\n') await sleep(10);
  assert.ok(pids.every(isRunning));
  if (user !== undefined)
    assert.deepEqual(
      pids.map((pid) => statSync(`/proc/${pid}`).uid),
      [user, user],
    );
  owner.kill('SIGKILL');
  await once(owner, 'exit');
  while (pids.some(isRunning)) await sleep(10);
}

function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
