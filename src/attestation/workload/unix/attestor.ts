import { fault } from '../../../base/faults/fault.js';
import type { Selector } from '../../../registration/entry.js';
import type { UnixPeer } from '../../../transport/peer.js';
import type { WorkloadAttestor } from '../attestor.js';
import { type Credentials, type Executable, readCredentials, readExecutable } from '../process.js';
import { type AccountNames, accountNames } from './account-names.js';
import { fileHashes, type HashOfExecutable } from './file-hash.js';

export interface UnixAttestorOptions {
  /** Executables above this many bytes get no `unix:sha256` (SPIRE: `workload_size_limit`); 0 for none at all. Default 512 MiB. */
  maxHashedBytes?: number;
  /** Where processes are looked at; another folder in tests. Default `/proc`. */
  proc?: string;
  /** Default: `/etc/passwd` and `/etc/group`. */
  names?: AccountNames;
}

/**
 * SPIRE's `unix` workload attestor, with its selectors: `unix:uid:N`, `user:`, `gid:N`, `group:` (effective ids),
 * `supplementary_gid:N`, `supplementary_group:`, `path:` and `sha256:<hex>` of the executable.
 *
 * Everything comes from the kernel, nothing from the process's own words (S24). `path` is given only when that path, seen
 * by the agent in the same mount namespace, leads to the very file that runs: not for a deleted or overmounted executable,
 * and not for a container, whose own mounts could show any name. `sha256` is given for a container too, since it is read
 * from the running file itself. Who may execute a file can always become that file's process: combine `path` and `sha256`
 * with `uid`.
 */
export function unixAttestor(options: UnixAttestorOptions = {}): WorkloadAttestor {
  const { maxHashedBytes = 512 * 1024 * 1024, proc = '/proc', names = accountNames() } = options;
  const hashOf = fileHashes({ maxBytes: maxHashedBytes, proc });
  return {
    type: 'unix',
    async attest(peer) {
      const credentials = readCredentials(proc, peer.pid);
      if (!credentials) throw fault('ATT0103', { pid: peer.pid });
      const executable = readExecutable(proc, peer.pid);
      const selectors = [
        ...credentialSelectors(credentials, names),
        ...(executable ? await executableSelectors(executable, peer, hashOf) : []),
      ];
      return { selectors, stillHold: () => true };
    },
  };
}

function credentialSelectors({ uid, gid, supplementary }: Credentials, names: AccountNames): Selector[] {
  return [
    ...numberAndName('uid', uid, 'user', names.user(uid)),
    ...numberAndName('gid', gid, 'group', names.group(gid)),
    ...supplementary.flatMap((id) =>
      numberAndName('supplementary_gid', id, 'supplementary_group', names.group(id)),
    ),
  ];
}

function numberAndName(
  numberKey: string,
  number: number,
  nameKey: string,
  name: string | undefined,
): Selector[] {
  return [unix(`${numberKey}:${number}`), ...(name === undefined ? [] : [unix(`${nameKey}:${name}`)])];
}

async function executableSelectors(
  { path, hashable }: Executable,
  peer: UnixPeer,
  hashOf: HashOfExecutable,
): Promise<Selector[]> {
  const hash = hashable ? await hashOf(peer) : undefined;
  return [
    ...(path === undefined ? [] : [unix(`path:${path}`)]),
    ...(hash === undefined ? [] : [unix(`sha256:${hash}`)]),
  ];
}

function unix(value: string): Selector {
  return { type: 'unix', value };
}
