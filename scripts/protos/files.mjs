// What a .proto file is: shared by the scripts that write the lock files, the one that makes types, and the test that checks them.
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import protobuf from 'protobufjs';

/** Well-known types that protobufjs brings itself, in camelCase; it never reads a file for them. */
export function isBundled(name) {
  return name.startsWith('google/protobuf/');
}

/** The files that a .proto source imports, as written. */
export function importsOf(text) {
  return [...text.matchAll(/^\s*import\s+(?:public\s+|weak\s+)?"([^"]+)"\s*;/gm)].map(([, name]) => name);
}

/** Every .proto and licence file under a workspace, relative to it, without those of the workspaces in `nested`. */
export function vendoredFiles(folder, nested = []) {
  const skipped = ['types', 'node_modules', ...nested].map((name) => `${name}/`);
  return readdirSync(folder, { recursive: true })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => /\.proto$|(?:^|\/)LICENSE/.test(name))
    .filter((name) => !skipped.some((prefix) => name.startsWith(prefix)))
    .sort();
}

/** The package of a file and the names it declares there: how a name is found without reading every file. */
export function declares(bytes) {
  const { package: name, root: tree } = protobuf.parse(bytes.toString('utf8'), { keepCase: true });
  const space = name === undefined ? tree : tree.lookup(name);
  const declared = space.nestedArray.filter(
    (each) => each instanceof protobuf.Type || each instanceof protobuf.Service,
  );
  return { package: name ?? '', declares: declared.map((each) => each.name).sort() };
}

export function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}
