import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isFault } from '../base/faults/fault.js';
import { openRunFolder, socketBase } from './run-folder.js';

test('a run gets a folder of its own, which is gone when it says so', (t) => {
  const base = join(temporary(t), 'demo');
  const run = openRunFolder(base, 0o700);
  assert.ok(existsSync(run.path));
  run.remove();
  assert.ok(!existsSync(run.path));
});

test('a run removes the folders of earlier runs only when all of their processes are gone', (t) => {
  const base = join(temporary(t), 'demo');
  const gone = spawnSync(process.execPath, ['--version']).pid;
  const leave = (name: string, pids: number[]) => {
    mkdirSync(join(base, name), { recursive: true, mode: 0o700 });
    writeFileSync(join(base, name, 'pids'), pids.map((pid) => `${pid}\n`).join(''));
  };
  leave(String(gone), []);
  leave(String(process.ppid), []);
  leave('notes', []);
  openRunFolder(base, 0o700).remove();
  assert.ok(!existsSync(join(base, String(gone))));
  assert.ok(existsSync(join(base, String(process.ppid))));
  assert.ok(existsSync(join(base, 'notes')));

  leave(String(gone), [gone, process.ppid]);
  openRunFolder(base, 0o700).remove();
  assert.ok(existsSync(join(base, String(gone))));
});

test('a process that has ended counts as gone before its parent has looked after it', async (t) => {
  const base = join(temporary(t), 'demo');
  // The shell becomes a program that never waits for the child that it had.
  const parent = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 60 >/dev/null'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => parent.kill());
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const folder = join(base, String(line).trim());
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  while (existsSync(folder)) {
    await sleep(20);
    openRunFolder(base, 0o700).remove();
  }
});

test('a folder that others may write to is not used', (t) => {
  const base = join(temporary(t), 'demo');
  mkdirSync(base);
  chmodSync(base, 0o777);
  assert.throws(
    () => openRunFolder(base, 0o700),
    (error) => isFault(error, 'DEM0201'),
  );
});

test('sockets go where their paths stay short enough', () => {
  const own = `plastron-demo-${process.getuid?.()}`;
  assert.equal(socketBase({ XDG_RUNTIME_DIR: '/run/user/7' }, false), `/run/user/7/${own}`);
  assert.equal(socketBase({ XDG_RUNTIME_DIR: '/run/user/0' }, true), join(tmpdir(), own));
  assert.equal(socketBase({ XDG_RUNTIME_DIR: `/${'x'.repeat(90)}` }, false), join(tmpdir(), own));
  assert.equal(socketBase({ XDG_RUNTIME_DIR: 'relative' }, false), join(tmpdir(), own));
});

function temporary(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'pd-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
