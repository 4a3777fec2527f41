import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { UnixPeer } from '../../src/transport/peer.js';

/** A folder like `/proc` as far as containers are found by it. */
export interface FakeProc {
  readonly path: string;
  /** Puts a process into these control groups: lines of cgroups(7). */
  put(pid: number, ...groups: string[]): UnixPeer;
}

export function fakeProc(folder: string): FakeProc {
  return {
    path: folder,
    put(pid, ...groups) {
      const at = join(folder, String(pid));
      mkdirSync(at, { recursive: true });
      writeFileSync(join(at, 'cgroup'), groups.map((line) => `${line}\n`).join(''));
      return { kind: 'unix', pid, uid: 1000, gid: 1000, isAlive: () => true };
    },
  };
}
