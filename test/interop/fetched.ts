import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sha256Hex } from '../../src/base/digest.js';

const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'plastron', 'interop');

/** The folder with the source of a client in another language. */
export function sourceOf(client: string): string {
  return fileURLToPath(new URL(`../../../test/interop/${client}`, import.meta.url));
}

/**
 * What a package manager fetches for `client`, in a folder of the user's cache that is filled once for each content of `lock`, a
 * file of its source that pins everything. `command` fills the folder that is put in place of `DIR`.
 * @throws when there is no such program here, or it fails: a reason not to run, as registries may be out of reach.
 */
export function fetched(client: string, lock: string, command: readonly string[], variant = ''): string {
  const source = sourceOf(client);
  const digest = sha256Hex(readFileSync(join(source, lock)));
  const folder = join(cache, `${client}${variant}-${digest.slice(0, 16)}`);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true, mode: 0o700 });
  const workshop = mkdtempSync(join(cache, 'fetch-'));
  try {
    outputOf(
      command.map((word) => word.replace('DIR', workshop)),
      source,
    );
    renameSync(workshop, folder);
    return folder;
  } finally {
    rmSync(workshop, { recursive: true, force: true });
  }
}

/** What a program prints. @throws with its complaint when it is not there or fails. */
export function outputOf([command = '', ...args]: readonly string[], cwd: string): string {
  const { error, status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command}: ${(stderr || stdout).trim()}`);
  return stdout;
}
