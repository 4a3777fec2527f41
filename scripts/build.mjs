// Builds everything that is not in git: the TypeScript types of the protos (only when their sources changed), then dist/.
//   node scripts/build.mjs --if-needed     not when nothing was touched since the last build
// Files in dist/ whose source has gone are removed first, so that a deleted test cannot keep passing.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

function removeOrphans(folder) {
  if (!existsSync(folder)) return;
  for (const file of readdirSync(folder, { recursive: true })) {
    const source = /^(.*)\.js(\.map)?$/.exec(file)?.[1];
    if (source && !existsSync(join(root, relative(join(root, 'dist'), join(folder, `${source}.ts`))))) {
      rmSync(join(folder, file));
    }
  }
}

/** Folders count too: removing a file touches its folder. */
function touchedSince(time, path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return false;
  if (stat.mtimeMs >= time) return true;
  return stat.isDirectory() && readdirSync(path).some((name) => touchedSince(time, join(path, name)));
}

const stamp = join(root, 'dist/.built');
const sources = [
  'src',
  'test',
  'bench',
  'scripts',
  'proto/protos.lock.json',
  'proto/spiffe/protos.lock.json',
  'proto/plastron/protos.lock.json',
];
const settings = ['package-lock.json', 'tsconfig.json', 'node_modules/.package-lock.json'];
const built = statSync(stamp, { throwIfNoEntry: false })?.mtimeMs;
const isCurrent =
  built !== undefined && ![...sources, ...settings].some((path) => touchedSince(built, join(root, path)));
if (process.argv.includes('--if-needed') && isCurrent) process.exit(0);
if (built === undefined) console.error('building, which takes a moment the first time');
const began = new Date();

if (existsSync(join(root, 'scripts/protos/types.mjs'))) run(process.execPath, ['scripts/protos/types.mjs']);
removeOrphans(join(root, 'dist'));
run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json']);
const cli = join(root, 'dist/src/cli/main.js');
if (existsSync(cli)) chmodSync(cli, 0o755);
// What is touched while it builds is touched since.
writeFileSync(stamp, '');
utimesSync(stamp, began, began);
