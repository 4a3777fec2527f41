import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { fault } from '../base/faults/fault.js';

/** A program to run as a process of its own. */
export interface Job {
  /** What the output calls it. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** A file that takes what it writes to stdout and stderr. */
  readonly log: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The user that it runs as: its number is also that of its only group. Left out: ours. */
  readonly user?: number | undefined;
}

/** Processes that live as long as this one and not a moment longer, however it ends. */
export interface Crew {
  /** Gives the process ID; `undefined` when it could not be started, which `lost` hears too. */
  start(job: Job): number | undefined;
  /** Ends them all, the last one started first, and waits until they are gone. */
  stop(): Promise<void>;
}

export interface CrewOptions {
  /** Hears the ID of every process that was started. */
  started(pid: number): void;
  /** Hears that a process could not be started (DEM0202) or ended before it was told to (DEM0203). */
  lost(error: Error): void;
}

/**
 * Two things end the processes when this one is killed and can do nothing itself. On Linux the kernel kills those that were
 * started through setpriv. A watchdog, a shell of 1 MB, sees the end of its stdin and kills whoever is left: where there is no
 * setpriv, and programs that change their user, on which the kernel forgets its promise.
 */
export function openCrew(options: CrewOptions): Crew {
  const watchdog = startWatchdog();
  const dieWithUs = canDieWithUs() ? withUs : [];
  const members: ChildProcess[] = [];
  let stopping = false;

  const lose = (error: Error) => {
    if (!stopping) options.lost(error);
  };

  return {
    start: (job) => {
      const child = spawnJob(job, dieWithUs);
      child.once('error', (cause) =>
        lose(fault('DEM0202', { name: job.name, reason: cause.message }, { cause })),
      );
      child.once('exit', (code, signal) => lose(endedEarly(job, `${signal ?? `exit code ${code}`}`)));
      if (child.pid === undefined) return undefined;
      watchdog.stdin.write(`${child.pid}\n`);
      options.started(child.pid);
      members.push(child);
      return child.pid;
    },
    stop: async () => {
      stopping = true;
      for (const child of members.splice(0).reverse()) await end(child);
      watchdog.kill('SIGKILL');
    },
  };
}

const withUs = ['setpriv', '--pdeathsig', 'KILL'];

/** There is more than one setpriv; not every one knows the option. */
function canDieWithUs(): boolean {
  const [command = '', ...args] = withUs;
  return spawnSync(command, [...args, 'true']).status === 0;
}

/** A session of its own: what is typed at the terminal (Ctrl-C) is for the demo, which ends them in order. */
function spawnJob(job: Job, prefix: readonly string[]): ChildProcess {
  const [command = '', ...args] = [...prefix, job.command, ...job.args];
  const log = openSync(job.log, 'a', 0o600);
  try {
    return spawn(command, args, {
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...process.env, ...job.env },
      // Node sets the user before it runs setpriv, so that the kernel's promise holds.
      ...(job.user === undefined ? {} : { uid: job.user, gid: job.user }),
    });
  } finally {
    closeSync(log);
  }
}

/** Why a process ended is in its last line that speaks of an error; a crash of Node and our own errors say more below it. */
function endedEarly(job: Job, end: string): Error {
  const lines = readFileSync(job.log, 'utf8').trim().split('\n');
  const reason = lines.findLast((line) => /error|critical/i.test(line)) ?? lines.at(-1);
  return fault('DEM0203', { name: job.name, end, reason: reason || 'it wrote nothing' });
}

function startWatchdog() {
  const script = 'while read -r group; do groups="$groups -$group"; done; kill -9 $groups';
  const watchdog = spawn('/bin/sh', ['-c', script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  // It is asked nothing and it is in nobody's way; without it the kernel still keeps its promise.
  watchdog.on('error', () => undefined);
  watchdog.stdin.on('error', () => undefined);
  watchdog.unref();
  return watchdog;
}

/** SIGTERM, and SIGKILL for who has not gone two seconds later. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  kill(child, 'SIGTERM');
  const slow = setTimeout(() => kill(child, 'SIGKILL'), 2_000);
  await gone;
  clearTimeout(slow);
}

/** Each has a process group of its own, which its children are in too. */
function kill({ pid }: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    // It has just gone by itself.
  }
}
