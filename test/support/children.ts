import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { UnixPeer } from '../../src/transport/peer.js';

/** A test, or `{ after }` of node:test for what a whole file shares. */
export interface Ending {
  after(end: () => unknown): void;
}

/** For what is no test: whatever `work` started ends when it is done, the last first, however it went. */
export async function endingAfter<Result>(work: (ending: Ending) => Promise<Result>): Promise<Result> {
  const endings: (() => unknown)[] = [];
  try {
    return await work({ after: (end) => endings.push(end) });
  } finally {
    for (const end of endings.reverse()) await end();
  }
}

/** A folder of the test's own, with a short name (unix socket paths end at 107 bytes), removed afterwards. */
export function temporaryFolder(t: Ending): string {
  const folder = mkdtempSync(join(tmpdir(), 'pl-'));
  // Processes that end after this may be writing still.
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }));
  return folder;
}

/** A program of the test's own: a copy of sleep(1) under a name in `folder`. */
export function copyOfSleep(folder: string, name: string): string {
  const path = join(folder, name);
  copyFileSync('/bin/sleep', path);
  return path;
}

/** Starts a program that lives until the test ends, and waits until it really runs (the execve has happened). */
export async function startChild(
  t: TestContext,
  command: string,
  args: readonly string[],
  options: SpawnOptions = {},
): Promise<ChildProcess & { pid: number }> {
  const child = spawn(command, args, { stdio: ['pipe', 'ignore', 'inherit'], ...options });
  t.after(() => endChild(child));
  await once(child, 'spawn');
  if (child.pid === undefined) throw new Error(`${command} did not start`);
  return Object.assign(child, { pid: child.pid });
}

export async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

/** A process as if it had connected to a unix socket just now: its ids and its start time as the kernel shows them. */
export function peerOfProcess(pid: number): UnixPeer {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const effective = (field: string) =>
    Number(new RegExp(`^${field}:\\t\\d+\\t(\\d+)`, 'm').exec(status)?.[1]);
  const started = startTime(pid);
  return {
    kind: 'unix',
    pid,
    uid: effective('Uid'),
    gid: effective('Gid'),
    isAlive: () => started !== undefined && startTime(pid) === started,
  };
}

/** Clock ticks since boot, field 22 of `/proc/<pid>/stat`; `undefined` when there is no such process. */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
