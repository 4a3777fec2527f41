import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Lock {
  files: Record<string, { package?: string; declares?: string[] }>;
}

interface ProtoFiles {
  /** Import path, as .proto files write it -> path on disk. */
  paths: ReadonlyMap<string, string>;
  /** Full name of a top-level message or service -> path on disk of the file that declares it. */
  declaredIn: ReadonlyMap<string, string>;
}

let read: ProtoFiles | undefined;

// Files that only declare options: what uses the options is read without them, and skipping them halves the loading time.
const optionsOnly = /^(?:validate\/|(?:udpa|xds|envoy)\/annotations\/|google\/api\/[a-z]+\.proto)/;

/** The .proto files that hold messages and services, vendored and our own, as their lock files list them. Read once. */
export function protoFiles(): ProtoFiles {
  const { resolve } = createRequire(import.meta.url);
  const vendored = ['@envoyproxy/protos', '@plastron/spiffe-protos'];
  read ??= readLocks([...vendored.map((name) => dirname(resolve(`${name}/package.json`))), ownFolder]);
  return read;
}

const ownFolder = fileURLToPath(new URL('../../../proto/plastron', import.meta.url));

function readLocks(folders: readonly string[]): ProtoFiles {
  const paths = new Map<string, string>();
  const declaredIn = new Map<string, string>();
  for (const folder of folders) {
    const lock = JSON.parse(readFileSync(join(folder, 'protos.lock.json'), 'utf8')) as Lock;
    for (const [file, { package: space, declares = [] }] of Object.entries(lock.files)) {
      if (optionsOnly.test(file)) continue;
      const path = join(folder, file);
      paths.set(file, path);
      for (const declared of declares) declaredIn.set(space ? `${space}.${declared}` : declared, path);
    }
  }
  return { paths, declaredIn };
}
