import { type FSWatcher, watch } from 'node:fs';
import { Fault, fault } from '../base/faults/fault.js';
import type { PolicyFile } from '../policy/language/policy-file.js';
import { folderSignature, type Reading, readPolicyFolder } from './policy-folder.js';

export interface PolicyWatcherOptions {
  folder: string;
  /** The folder's contents, once at the start and after every change. */
  onFiles(files: readonly PolicyFile[]): void;
  /** The folder cannot be read: CTL01xx. Called again only when the reason changes. */
  onProblem(problem: Fault): void;
  /** `readPolicyFolder`; tests hand in one that can vouch for nothing. */
  read?: (folder: string) => Reading;
}

/** Milliseconds after the last sign of a change, so that a change of several files is seen as one. */
const quiet = 15;
/** And at most so long after the first sign, however busy the folder is. */
const longestWait = 200;
/** Where nobody can tell whether a file is open for writing, it must not have changed for so long. */
const quietWhenUncertain = 300;
const firstRetry = 5;
const longestRetry = 250;
/** After so long without a settled moment somebody is told. */
const patience = 2_000;
/** Links that change elsewhere and file systems without notifications are noticed by looking. */
const pollInterval = 1_000;

/** Watches a policy folder and hands every settled state of it on, until the returned function is called. */
export function watchPolicyFolder(options: PolicyWatcherOptions): () => void {
  const watcher = new PolicyWatcher(options);
  watcher.start();
  return () => watcher.close();
}

class PolicyWatcher {
  private readonly options: PolicyWatcherOptions;
  private readonly watchers = new Map<string, FSWatcher>();
  private timer: NodeJS.Timeout | undefined;
  private poll: NodeJS.Timeout | undefined;
  private firstSign = 0;
  private signature: string | undefined;
  /** What was handed on last; forgotten after a problem, so that its end is told too. */
  private delivered: string | undefined;
  private problem: string | undefined;
  private unsettledSince: number | undefined;
  private retry = firstRetry;
  /** A reading that nobody vouches for, and when it was first seen so. */
  private uncertain: { fingerprint: string; since: number } | undefined;

  constructor(options: PolicyWatcherOptions) {
    this.options = options;
  }

  start(): void {
    this.poll = setInterval(() => {
      if (folderSignature(this.options.folder) === this.signature) return;
      // The folder itself may be another one now, which the watchers of the old one cannot know.
      this.watchAll([]);
      this.sign();
    }, pollInterval);
    this.look();
  }

  close(): void {
    clearTimeout(this.timer);
    clearInterval(this.poll);
    for (const watcher of this.watchers.values()) watcher.close();
    this.watchers.clear();
  }

  /** Something may have changed. */
  private sign(): void {
    const now = performance.now();
    if (this.timer === undefined || this.firstSign === 0) this.firstSign = now;
    this.lookIn(Math.max(0, Math.min(quiet, this.firstSign + longestWait - now)));
  }

  private lookIn(milliseconds: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), milliseconds);
  }

  private look(): void {
    this.timer = undefined;
    this.firstSign = 0;
    const { folder, read = readPolicyFolder } = this.options;
    this.signature = folderSignature(folder);
    try {
      const reading = read(folder);
      this.watchAll(reading.folders);
      this.take(reading);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.watchAll([folder]);
      this.report(error);
    }
  }

  private take(reading: Reading): void {
    if (reading.kind === 'unsettled') {
      this.unsettledSince ??= performance.now();
      const waited = performance.now() - this.unsettledSince;
      if (waited > patience)
        this.report(fault('CTL0105', { folder: this.options.folder, seconds: patience / 1000 }));
      this.lookIn(this.retry);
      this.retry = Math.min(this.retry * 2, longestRetry);
      return;
    }
    if (!reading.certain && !this.isOld(reading.fingerprint)) {
      this.lookIn(quietWhenUncertain);
      return;
    }
    this.unsettledSince = undefined;
    this.retry = firstRetry;
    if (reading.fingerprint === this.delivered) return;
    this.delivered = reading.fingerprint;
    this.problem = undefined;
    this.options.onFiles(reading.files);
  }

  private isOld(fingerprint: string): boolean {
    const now = performance.now();
    if (this.uncertain?.fingerprint !== fingerprint) this.uncertain = { fingerprint, since: now };
    return now - this.uncertain.since >= quietWhenUncertain;
  }

  private report(problem: Fault): void {
    this.delivered = undefined;
    if (this.problem === problem.message) return;
    this.problem = problem.message;
    this.options.onProblem(problem);
  }

  private watchAll(folders: readonly string[]): void {
    for (const [folder, watcher] of this.watchers) {
      if (folders.includes(folder)) continue;
      watcher.close();
      this.watchers.delete(folder);
    }
    for (const folder of folders) if (!this.watchers.has(folder)) this.watchOne(folder);
  }

  /** Where a folder cannot be watched, looking from time to time has to do. */
  private watchOne(folder: string): void {
    try {
      const watcher = watch(folder, () => this.sign());
      watcher.on('error', () => this.forget(folder, watcher));
      this.watchers.set(folder, watcher);
    } catch {
      this.watchers.delete(folder);
    }
  }

  private forget(folder: string, watcher: FSWatcher): void {
    watcher.close();
    if (this.watchers.get(folder) === watcher) this.watchers.delete(folder);
  }
}
