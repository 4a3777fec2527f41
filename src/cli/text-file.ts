import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fault } from '../base/faults/fault.js';
import type { SourceFile } from '../base/source.js';
import type { Cli } from './cli.js';

/** Reads a UTF-8 text file that the user named; the path stays as it was written. Throws CLI0201. */
export function readTextFile(cli: Cli, path: string): SourceFile {
  try {
    return {
      path,
      text: new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(resolve(cli.cwd, path))),
    };
  } catch (cause) {
    throw fault('CLI0201', { path, reason: reasonOf(cause) }, { cause });
  }
}

function reasonOf(cause: unknown): string {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES') return 'this user may not open it';
  if (code === 'EISDIR') return 'it is a directory';
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'it is not UTF-8 text';
  return String(code ?? cause);
}
