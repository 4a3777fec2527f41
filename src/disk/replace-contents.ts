import { mkdirSync, readdirSync, renameSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { syncFolder } from './private-file.js';

/** Names in a folder that are somebody's data; what a disk's own folder for lost files is not. */
export function contentsOf(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name !== 'lost+found')
    .sort();
}

/**
 * Moves everything in `folder`, except `stays`, into a new folder in it, `first` before the rest. Throws the errors of the
 * operating system.
 */
export function moveAside(folder: string, aside: string, first: string, stays: string): void {
  mkdirSync(join(folder, aside), { mode: 0o700 });
  const names = contentsOf(folder).filter((name) => name !== aside && name !== stays);
  const ordered = [...names.filter((name) => name === first), ...names.filter((name) => name !== first)];
  for (const name of ordered) {
    renameSync(join(folder, name), join(folder, aside, name));
    syncFolder(folder);
  }
  syncFolder(join(folder, aside));
}

/** Moves everything in the folder `from` into `folder`, `last` after the rest, and removes `from`. Throws as `moveAside`. */
export function moveIn(folder: string, from: string, last: string): void {
  const names = contentsOf(from).filter((name) => name !== last);
  for (const name of [...names, last]) {
    renameSync(join(from, name), join(folder, name));
    syncFolder(folder);
  }
  rmdirSync(from);
}
