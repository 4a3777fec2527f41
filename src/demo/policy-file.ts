import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The demo's own copy of examples/policy/shop.yaml, to be edited while everything runs. */
export interface PolicyFile {
  readonly folder: string;
  readonly path: string;
  /** Lets `web` cancel orders too. */
  allowCancel(): void;
  /** Takes that back. */
  forbidCancel(): void;
}

const listed = 'GET /v1/orders/*]';
const listedWithCancel = 'GET /v1/orders/*, DELETE /v1/orders/*]';

export function writePolicyFile(runFolder: string): PolicyFile {
  const text = readFileSync(new URL('../../../examples/policy/shop.yaml', import.meta.url), 'utf8');
  const folder = join(runFolder, 'policy');
  mkdirSync(folder, { mode: 0o700 });
  const path = join(folder, 'shop.yaml');
  writeFileSync(path, text);
  return {
    folder,
    path,
    allowCancel: () => save(path, text.replace(listed, listedWithCancel)),
    forbidCancel: () => save(path, text),
  };
}

/** As editors do it: a new file takes the place of the old one. */
function save(path: string, text: string): void {
  writeFileSync(`${path}~`, text);
  renameSync(`${path}~`, path);
}
