// Compares the vendored protos with the descriptors of go-control-plane, which is generated from Envoy's own: every field of
// every message has the same number, kind and type there. Needs Go and up to two minutes. Run it
// (`npm run protos:compare`) after `npm run protos`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import { protoFiles } from '../../dist/src/wire/proto-files.js';
import { isKnownMessage, messageType } from '../../dist/src/wire/schema.js';

const reference = { module: 'github.com/envoyproxy/go-control-plane/envoy', version: 'v1.40.0' };

const theirs = referenceFields();
const problems = [];
const count = { messages: 0, fields: 0 };
const older = [];

for (const name of protoFiles().declaredIn.keys()) {
  if (/^(?:envoy|xds)\./.test(name) && isKnownMessage(name)) compare(messageType(name));
}
console.log(`${count.messages} messages and ${count.fields} fields compared with ${reference.version}`);
for (const name of older) console.log(`not in ours: ${name}`);
for (const problem of problems) console.error(problem);
if (problems.length > 0 || count.fields < 2000) process.exitCode = 1;

function compare(type) {
  const name = type.fullName.slice(1);
  const known = theirs[name];
  if (!known) return void problems.push(`${name} is not in theirs`);
  count.messages++;
  for (const field of type.fieldsArray) {
    count.fields++;
    const [ours, other] = [JSON.stringify(described(field)), JSON.stringify(known[field.name])];
    if (ours !== other) problems.push(`${name}.${field.name} is ${ours} and in theirs ${other}`);
  }
  older.push(
    ...Object.keys(known)
      .filter((field) => !type.fields[field])
      .map((field) => `${name}.${field}`),
  );
  for (const nested of type.nestedArray) if (nested instanceof protobuf.Type) compare(nested);
}

/** Number, kind, cardinality and type name, as Go's reflection says them. */
function described(field) {
  const { resolvedType: type, map, repeated } = field.resolve();
  const kind = type instanceof protobuf.Enum ? 'enum' : type ? 'message' : field.type;
  const name = type ? type.fullName.slice(1) : '';
  return map
    ? [field.id, 'message', 'repeated', 'map']
    : [field.id, kind, repeated ? 'repeated' : 'optional', name];
}

function referenceFields() {
  const scratch = mkdtempSync(join(tmpdir(), 'plastron-compare-'));
  try {
    const program = readFileSync(fileURLToPath(new URL('descriptors.go', import.meta.url)), 'utf8');
    writeFileSync(join(scratch, 'main.go'), program.replace('// IMPORTS', goPackages().join('\n\t')));
    writeFileSync(
      join(scratch, 'go.mod'),
      `module compare\n\nrequire ${reference.module} ${reference.version}\n`,
    );
    run('go', ['mod', 'tidy'], scratch);
    return JSON.parse(run('go', ['run', '.'], scratch));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The Go packages of the vendored files, as they name them. */
function goPackages() {
  const files = [...protoFiles().paths.values()].map((path) => readFileSync(path, 'utf8'));
  const named = files.flatMap((text) => /option go_package = "([^";]+)/.exec(text)?.[1] ?? []);
  return [...new Set(named)]
    .filter((name) => /go-control-plane|cncf\/xds/.test(name))
    .map((name) => `_ "${name}"`);
}

function run(command, args, cwd) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stderr}`);
  return stdout;
}
