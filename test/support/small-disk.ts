import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { startChild, temporaryFolder } from './children.js';
import { until } from './until.js';

/** The reason why no disk can be mounted here, or `false`: for `skip`. */
export function smallDiskMissing(): string | false {
  if (process.platform !== 'linux' || process.geteuid?.() !== 0) return 'needs root, to mount a small disk';
  try {
    execFileSync('unshare', ['--mount', 'true'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'needs the right to make a mount namespace';
  }
}

/** A disk of a few MiB in a mount namespace of its own, which lives as long as the test. */
export interface SmallDisk {
  /** Where it is mounted, for who is in the namespace. */
  readonly folder: string;
  /** Starts a program in the namespace. */
  readonly command: readonly string[];
  /** Leaves no byte free. */
  fill(): void;
  free(): void;
}

export async function smallDisk(t: TestContext, mebibytes: number): Promise<SmallDisk> {
  const folder = join(temporaryFolder(t), 'disk');
  mkdirSync(folder);
  const mount = `mount -t tmpfs -o size=${mebibytes}m,mode=0700 tmpfs ${folder}`;
  const script = `${mount} && exec sleep infinity`;
  const { pid } = await startChild(t, 'unshare', ['--mount', '--propagation', 'private', 'sh', '-c', script]);
  const command = ['nsenter', '--target', String(pid), '--mount'];
  await until(() => isMounted(command, folder));
  const filler = join('/proc', String(pid), 'root', folder, 'filler');
  return {
    folder,
    command,
    fill: () => fillUp(filler),
    free: () => rmSync(filler),
  };
}

function isMounted([program = '', ...args]: readonly string[], folder: string): boolean {
  const stat = [...args, 'stat', '--file-system', '--format=%T', folder];
  try {
    return execFileSync(program, stat, { stdio: 'pipe' }).toString().trim() === 'tmpfs';
  } catch {
    return false;
  }
}

function fillUp(path: string): void {
  const file = openSync(path, 'w', 0o600);
  try {
    for (const size of [65_536, 4096, 1]) writeUntilFull(file, size);
  } finally {
    closeSync(file);
  }
}

function writeUntilFull(file: number, size: number): void {
  const bytes = new Uint8Array(size);
  try {
    for (;;) writeSync(file, bytes);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
  }
}
