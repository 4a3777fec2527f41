import { readFileSync } from 'node:fs';
import type { Fault } from '../base/faults/fault.js';

/** By which a pod calls its cluster. Read again for every call, since both are renewed in place. */
export interface ClusterFiles {
  /** PEM: the authorities that the cluster's certificates are verified by. */
  readonly caFile: string;
  /** A service account token. */
  readonly tokenFile: string;
}

/** What the files hold, as `httpsJson` takes it. Throws what `refuse` makes of one that cannot be read. */
export function clusterCredentials(
  { caFile, tokenFile }: ClusterFiles,
  refuse: (problem: string, cause: unknown) => Fault,
): { ca: string; bearerToken: string } {
  const textOf = (path: string) => {
    try {
      return readFileSync(path, 'utf8');
    } catch (cause) {
      const { code = 'unknown' } = cause as NodeJS.ErrnoException;
      throw refuse(`${path} cannot be read (${code})`, cause);
    }
  };
  return { ca: textOf(caFile), bearerToken: textOf(tokenFile).trim() };
}
