import { statSync } from 'node:fs';
import { basename, join, posix, resolve, sep } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fault } from '../base/faults/fault.js';
import { folderContents } from '../control/folder-contents.js';
import { type Reading, readPolicyFolder } from '../control/policy-folder.js';
import type { PolicyFile } from '../policy/language/policy-file.js';
import type { Cli } from './cli.js';
import { readTextFile } from './text-file.js';

/** Milliseconds to wait for a folder that somebody is writing to. */
const patience = 2_000;

/** The policy in a folder, or in the files that the user names; files of entries are passed over. Throws CLI0201, CTL01xx. */
export async function readPolicyFiles(cli: Cli, paths: readonly string[]): Promise<readonly PolicyFile[]> {
  return folderContents(await readFiles(cli, paths)).policy;
}

/** The files in folders, and those that the user names. Throws CLI0201, CTL01xx. */
export async function readFiles(cli: Cli, paths: readonly string[]): Promise<PolicyFile[]> {
  const files: PolicyFile[] = [];
  for (const path of paths) {
    if (isFolder(cli, path)) files.push(...(await readFilesIn(cli, path)));
    else files.push({ ...readTextFile(cli, path), name: nameOf(path) });
  }
  return files;
}

export function isFolder(cli: Cli, path: string): boolean {
  return statSync(resolve(cli.cwd, path), { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Messages show the path from where the user stands; rules are named by the file's place in the folder. Throws CTL01xx. */
export async function readFilesIn(cli: Cli, folder: string): Promise<PolicyFile[]> {
  const { files } = await settled(resolve(cli.cwd, folder));
  return files.map(({ name, text }) => ({ name, text, path: join(folder, name) }));
}

async function settled(folder: string): Promise<Extract<Reading, { kind: 'settled' }>> {
  for (let waited = 0; waited <= patience; waited += 20) {
    const reading = readPolicyFolder(folder);
    if (reading.kind === 'settled') return reading;
    await sleep(20);
  }
  throw fault('CTL0105', { folder, seconds: patience / 1000 });
}

/** A path below where the user stands is the name; of any other only the last part can be. */
function nameOf(path: string): string {
  const name = posix.normalize(path.split(sep).join('/'));
  return name.startsWith('/') || name.startsWith('..') ? basename(name) : name;
}
