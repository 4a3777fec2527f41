// Derives every vendored .proto file again from the packages in sources.mjs, byte for byte, and writes a protos.lock.json
// with where each file came from and its SHA-256. Run it (`npm run protos`) after changing sources.mjs; it needs cargo, go,
// mvn and npm, each as set up on the machine. Whatever the packages no longer bring is removed.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fetchPackage } from './fetch-package.mjs';
import { declares, importsOf, isBundled, sha256, vendoredFiles } from './files.mjs';
import { sources, workspaces } from './sources.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'plastron-protos-'));

try {
  for (const workspace of workspaces) update(workspace);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function update(workspace) {
  const folders = new Map(workspace.sources.map((id) => [id, fetchPackage(sources[id], join(scratch, id))]));
  const found = closure(workspace, folders);
  for (const id of workspace.sources) {
    const { licenceFile } = sources[id];
    if (licenceFile) found.set(`LICENSE.${id}`, { source: id, path: join(folders.get(id), licenceFile) });
  }
  const target = join(root, workspace.folder);
  for (const old of vendoredFiles(target, workspace.nested)) if (!found.has(old)) rmSync(join(target, old));
  const files = {};
  for (const [name, { source, path }] of [...found].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const bytes = readFileSync(path);
    mkdirSync(dirname(join(target, name)), { recursive: true });
    writeFileSync(join(target, name), bytes);
    files[name] = { source, sha256: sha256(bytes), ...(name.endsWith('.proto') && declares(bytes)) };
  }
  const lock = { roots: workspace.roots, sources: described(workspace.sources), files };
  writeFileSync(join(target, 'protos.lock.json'), `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`${workspace.folder}: ${Object.keys(files).length} files`);
}

/** Every file that the roots reach through imports, with the package that has it. */
function closure(workspace, folders) {
  const found = new Map();
  const waiting = [...workspace.roots];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (found.has(name) || isBundled(name)) continue;
    const place = locate(name, workspace.sources, folders);
    if (!place) throw new Error(`no package of ${workspace.folder} has ${name}`);
    found.set(name, place);
    waiting.push(...importsOf(readFileSync(place.path, 'utf8')));
  }
  return found;
}

function locate(name, ids, folders) {
  for (const id of ids) {
    const { includes, only, rename } = sources[id];
    if (only && !only.includes(name)) continue;
    for (const include of includes) {
      const path = join(folders.get(id), include, rename?.[name] ?? name);
      if (existsSync(path)) return { source: id, path };
    }
  }
  return undefined;
}

function described(ids) {
  return Object.fromEntries(
    ids.map((id) => {
      const { kind, package: name, version, licence } = sources[id];
      return [id, { registry: kind, package: name, version, licence }];
    }),
  );
}
