import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

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

/** The vendored .proto files that hold messages and services, as the lock files of the two workspaces list them. Read once. */
export function protoFiles(): ProtoFiles {
  read ??= readLocks(['@envoyproxy/protos', '@plastron/spiffe-protos']);
  return read;
}

function readLocks(packages: readonly string[]): ProtoFiles {
  const { resolve } = createRequire(import.meta.url);
  const paths = new Map<string, string>();
  const declaredIn = new Map<string, string>();
  for (const name of packages) {
    const folder = dirname(resolve(`${name}/package.json`));
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
