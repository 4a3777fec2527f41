import { readFileSync } from 'node:fs';
import { joinTokenProver } from '../attestation/node/join-token/prove.js';
import type { NodeProver } from '../attestation/node/prover.js';
import { fault } from '../base/faults/fault.js';

/**
 * A join token as evidence: from the file, read again at every attempt so that a new token only has to be written there, or as
 * it was given. `undefined` while there is none. Throws AGT0406 for a file that cannot be read.
 */
export function joinTokenEvidence(options: { file?: string; token?: string }): () => NodeProver | undefined {
  return () => {
    const token = (options.file === undefined ? undefined : fileText(options.file)) ?? options.token;
    return token?.trim() ? joinTokenProver(token.trim()) : undefined;
  };
}

function fileText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw fault('AGT0406', { path, reason }, { cause: error });
  }
}
