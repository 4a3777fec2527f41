// Writes the lock file of our own .proto files: it is how the program and the build find them, as with the vendored ones.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { declares, sha256, vendoredFiles } from './files.mjs';
import { own } from './sources.mjs';

const folder = fileURLToPath(new URL(`../../${own.folder}`, import.meta.url));
const files = Object.fromEntries(
  vendoredFiles(folder).map((name) => {
    const bytes = readFileSync(join(folder, name));
    return [name, { sha256: sha256(bytes), ...declares(bytes) }];
  }),
);
writeFileSync(join(folder, 'protos.lock.json'), `${JSON.stringify({ files }, null, 2)}\n`);
