import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { sourceOf } from './fetched.js';

export const goSource = sourceOf('go-agent');

/** Only what is missing on this machine is a reason; a program that does not compile is a failure. */
export function goMissing(): string | false {
  const { error, status, stderr } = spawnSync('go', ['mod', 'download'], { cwd: goSource, encoding: 'utf8' });
  if (error) return `needs Go (${error.message})`;
  return status === 0 ? false : `needs Go and its modules (${stderr.trim()})`;
}

export function buildGoAgent(folder: string): string {
  const program = join(folder, 'go-agent');
  const { status, stderr } = spawnSync('go', ['build', '-o', program, '.'], {
    cwd: goSource,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  return program;
}
