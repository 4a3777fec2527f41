import { appendFileSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fault } from '../base/faults/fault.js';

/** A folder of one run, named by the process ID of the demo, so that a later run can tell whether it is still needed. */
export interface RunFolder {
  readonly path: string;
  /** Notes a process that uses this folder: while it lives, no other run removes the folder. */
  note(pid: number): void;
  remove(): void;
}

/**
 * Makes the folder of this run inside `base`, and removes those of earlier runs whose processes are all gone (a run that was
 * killed could not do it itself). `mode` is that of both. Throws DEM0201.
 */
export function openRunFolder(base: string, mode: number): RunFolder {
  mkdirSync(base, { recursive: true, mode });
  refuseForeign(base);
  for (const name of readdirSync(base)) {
    const folder = join(base, name);
    if (/^\d+$/.test(name) && !isInUse(Number(name), folder))
      rmSync(folder, { recursive: true, force: true });
  }
  const path = join(base, String(process.pid));
  mkdirSync(path, { mode });
  return {
    path,
    note: (pid) => appendFileSync(join(path, 'pids'), `${pid}\n`),
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

/**
 * Where the sockets of the demo go: the user's run-time folder, else the temporary one. The path of a socket has at most 107
 * bytes on Linux and 103 elsewhere. Root's run-time folder is closed to the users that its services run as.
 */
export function socketBase(env: NodeJS.ProcessEnv, separateUsers: boolean): string {
  const places = [separateUsers ? undefined : env.XDG_RUNTIME_DIR, tmpdir()];
  const longest = '/4194304/intruder/outbound.sock';
  const bases = places.filter((place) => place?.startsWith('/')).map((place) => join(`${place}`, ownName()));
  return bases.find((base) => Buffer.byteLength(base + longest) <= 103) ?? join('/tmp', ownName());
}

function ownName(): string {
  return `plastron-demo-${process.getuid?.() ?? 'user'}`;
}

/** In a folder that all may write to, somebody else could have made ours first, and would then own our sockets. */
function refuseForeign(base: string): void {
  const stat = lstatSync(base);
  const isOurs = stat.isDirectory() && stat.uid === process.getuid?.() && (stat.mode & 0o022) === 0;
  if (!isOurs) throw fault('DEM0201', { path: base });
}

/** Our own process ID on an old folder means that its number came round again. */
function isInUse(owner: number, folder: string): boolean {
  return [owner, ...notedIn(folder)].some((pid) => pid !== process.pid && isRunning(pid));
}

function notedIn(folder: string): number[] {
  try {
    return readFileSync(join(folder, 'pids'), 'utf8').trim().split('\n').map(Number);
  } catch {
    return [];
  }
}

/** A process that has ended and was not yet waited for (a zombie) uses nothing any more. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return process.platform !== 'linux';
  }
}
