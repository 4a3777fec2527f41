import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { endChild } from '../../test/support/children.js';

const script = `
  import { createRequire } from 'node:module';
  const koffi = createRequire(process.argv[1])('koffi');
  const prctl = koffi.load(null).func('int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)');
  if (process.argv[2] === 'private') (await import(process.argv[1])).keepMemoryPrivate();
  process.stdin.on('data', () => console.log('still here')).resume();
  const getDumpable = 3;
  console.log(prctl(getDumpable, 0, 0, 0, 0));`;

/** A Node process that has called the function, or one like it that has not. */
async function start(t: TestContext, kind: 'private' | 'open') {
  const module = new URL('./private-memory.js', import.meta.url).href;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, module, kind]);
  t.after(() => endChild(child));
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const [dumpable] = await once(child.stdout, 'data');
  return { child, said: () => said, dumpable: String(dumpable).trim() };
}

/** Sends SIGUSR1 and waits until the process has had the time to look at it. */
async function signal(child: ChildProcess): Promise<void> {
  child.kill('SIGUSR1');
  child.stdin?.write('?\n');
  if (child.stdout) await once(child.stdout, 'data');
}

test('S26: the kernel dumps no core of a process that holds keys, and lets no debugger of its user in', async (t) => {
  assert.equal((await start(t, 'open')).dumpable, '1', 'the control');
  assert.equal((await start(t, 'private')).dumpable, '0');
});

test('S26: a signal opens no inspector of Node in a process that holds keys', async (t) => {
  const open = await start(t, 'open');
  open.child.kill('SIGUSR1');
  await once(open.child.stderr, 'data');
  assert.match(open.said(), /Debugger listening|Starting inspector/, 'the control: Node does it by itself');
  const closed = await start(t, 'private');
  await signal(closed.child);
  await signal(closed.child);
  assert.equal(closed.said(), '');
});
