import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));

interface Workspace {
  folder: string;
  nested: string[];
  sources: string[];
  roots: string[];
}
interface Lock {
  roots: string[];
  sources: Record<string, { package: string; version: string; licence: string }>;
  files: Record<string, { source: string; sha256: string; package?: string; declares?: string[] }>;
}
interface Files {
  isBundled(name: string): boolean;
  importsOf(text: string): string[];
  vendoredFiles(folder: string, nested?: string[]): string[];
  declares(bytes: Uint8Array): { package: string; declares: string[] };
  sha256(bytes: Uint8Array): string;
}

const scripts = pathToFileURL(join(root, 'scripts/protos/'));
const { own, workspaces, sources } = (await import(new URL('sources.mjs', scripts).href)) as {
  own: { folder: string };
  workspaces: Workspace[];
  sources: Record<string, { package: string; version: string; licence: string }>;
};
const files = (await import(new URL('files.mjs', scripts).href)) as Files;
const read = (...path: string[]): Buffer => readFileSync(join(root, ...path));
const lockOf = (folder: string): Lock =>
  JSON.parse(read(folder, 'protos.lock.json').toString('utf8')) as Lock;

for (const { folder, nested, roots, sources: ids } of workspaces) {
  const lock = lockOf(folder);

  test(`${folder}: exactly the locked files are there`, () => {
    assert.deepEqual(files.vendoredFiles(join(root, folder), nested), Object.keys(lock.files).sort());
    assert.ok(Object.keys(lock.files).length > 20);
  });

  test(`${folder}: no byte differs from what the package had`, () => {
    for (const [name, { sha256 }] of Object.entries(lock.files)) {
      assert.equal(files.sha256(read(folder, name)), sha256, name);
    }
  });

  test(`${folder}: every import of every file is there, and every file is reached from a root`, () => {
    const reached = new Set<string>();
    const waiting = [...roots];
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
      if (reached.has(name) || files.isBundled(name)) continue;
      assert.ok(lock.files[name], `${name} is imported and not vendored`);
      reached.add(name);
      waiting.push(...files.importsOf(read(folder, name).toString('utf8')));
    }
    const protos = Object.keys(lock.files).filter((name) => name.endsWith('.proto'));
    assert.deepEqual([...reached].sort(), protos.sort());
  });

  test(`${folder}: the lock was made from the sources that the script names`, () => {
    assert.deepEqual(lock.roots, roots);
    assert.deepEqual(Object.keys(lock.sources), ids);
    for (const id of ids) {
      const { package: name, version, licence } = lock.sources[id] ?? {};
      assert.deepEqual(
        { name, version, licence },
        {
          name: sources[id]?.package,
          version: sources[id]?.version,
          licence: sources[id]?.licence,
        },
      );
    }
  });

  test(`${folder}: the package ships what is vendored, with its licences, and types only for the compiler`, () => {
    const { files: shipped, private: hidden } = JSON.parse(read(folder, 'package.json').toString('utf8')) as {
      files: string[];
      private: boolean;
    };
    const tops = new Set(Object.keys(lock.files).map((name) => name.replace(/\/.*|(?<=^LICENSE\.).*/, '')));
    assert.deepEqual(
      shipped.map((name) => name.replace('*', '')).sort(),
      [...tops, 'protos.lock.json'].sort(),
    );
    assert.equal(hidden, true);
  });
}

test('the lock file of our own protocols says what is in them (else: npm run protos:own)', () => {
  const expected = files.vendoredFiles(join(root, own.folder)).map((name) => {
    const bytes = read(own.folder, name);
    return [name, { sha256: files.sha256(bytes), ...files.declares(bytes) }];
  });
  assert.deepEqual(JSON.parse(read(own.folder, 'protos.lock.json').toString('utf8')), {
    files: Object.fromEntries(expected),
  });
});

test('npm links both workspaces and can take neither from a registry', () => {
  const { packages } = JSON.parse(read('package-lock.json').toString('utf8')) as {
    packages: Record<string, { link?: boolean; resolved?: string }>;
  };
  assert.deepEqual(packages['node_modules/@envoyproxy/protos'], { resolved: 'proto', link: true });
  assert.deepEqual(packages['node_modules/@plastron/spiffe-protos'], {
    resolved: 'proto/spiffe',
    link: true,
  });
});
