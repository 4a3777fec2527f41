// Makes the TypeScript types of the protos (<folder>/types/**.d.ts), only when their lock file, this script or
// the generator changed. One root file imports everything, so that the generator sees one tree of names.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { sha256 } from './files.mjs';
import { own, workspaces } from './sources.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const generatorManifest = join(root, 'node_modules/@grpc/proto-loader/package.json');

for (const { folder } of [...workspaces, own]) {
  const target = join(root, folder);
  const lock = readFileSync(join(target, 'protos.lock.json'));
  const made = [lock, readFileSync(fileURLToPath(import.meta.url)), readFileSync(generatorManifest)];
  const stamp = sha256(Buffer.concat(made));
  const stampFile = join(target, 'types/.stamp');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) continue;
  rmSync(join(target, 'types'), { recursive: true, force: true });
  declare(generate(target, Object.keys(JSON.parse(lock).files)), join(target, 'types'));
  // Last, so that an interrupted run starts over.
  writeFileSync(stampFile, stamp);
}

/** Runs proto-loader's generator; gives every file that it wrote, by path. */
function generate(target, names) {
  const scratch = mkdtempSync(join(tmpdir(), 'plastron-types-'));
  try {
    const protos = names.filter((name) => name.endsWith('.proto'));
    const imports = protos.map((name) => `import "${name}";`);
    writeFileSync(join(scratch, 'root.proto'), ['syntax = "proto3";', ...imports, ''].join('\n'));
    const out = join(scratch, 'out');
    const options = ['--keepCase', '--longs=String', '--enums=String', '--oneofs', '--grpcLib=@grpc/grpc-js'];
    const args = [...options, '--importFileExtension=.js', '-I', target, scratch, '-O', out, 'root.proto'];
    const generator = join(dirname(generatorManifest), 'build/bin/proto-loader-gen-types.js');
    const { status, stderr } = spawnSync(process.execPath, [generator, ...args], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`proto-loader-gen-types failed:\n${stderr}`);
    const files = readdirSync(out, { recursive: true }).filter((name) => name.endsWith('.ts'));
    return new Map(files.map((name) => [name, readFileSync(join(out, name), 'utf8')]));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Turns each source into declarations, so that the main build neither checks nor emits them. */
function declare(files, target) {
  for (const [name, source] of files) {
    const { outputText, diagnostics } = ts.transpileDeclaration(source, {
      fileName: name,
      reportDiagnostics: true,
    });
    const [problem] = diagnostics ?? [];
    if (problem) throw new Error(`${name}: ${ts.flattenDiagnosticMessageText(problem.messageText, '\n')}`);
    const path = join(target, name.replace(/\.ts$/, '.d.ts'));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, outputText);
  }
}
