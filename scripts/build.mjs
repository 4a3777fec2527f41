// Builds everything that is not in git: the TypeScript types of the protos (only when their sources changed), then dist/.
// Files in dist/ whose source has gone are removed first, so that a deleted test cannot keep passing.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, rmSync } from 'node:fs';
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

if (existsSync(join(root, 'scripts/protos/types.mjs'))) run(process.execPath, ['scripts/protos/types.mjs']);
removeOrphans(join(root, 'dist'));
run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json']);
const cli = join(root, 'dist/src/cli/main.js');
if (existsSync(cli)) chmodSync(cli, 0o755);
