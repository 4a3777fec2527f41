import { fault } from '../../base/faults/fault.js';
import { sameMembers } from '../../base/same-members.js';
import type { UnixPeer } from '../../transport/peer.js';
import { type Credentials, executableIdentity, readCredentials, sameFile } from './process.js';

/**
 * Holds on to what a process is when it is attested, whatever the attestors look at. What comes back says whether it still
 * runs the same program with the same user and groups; that it is still the same process says the peer's `isAlive`.
 *
 * Throws ATT0103 for a process that cannot be looked at, ATT0104 for one that became another user since it connected, as by
 * executing a set-user-ID program (S21).
 */
export function holdProcess(peer: UnixPeer, proc: string): () => boolean {
  const before = readCredentials(proc, peer.pid);
  if (!before) throw fault('ATT0103', { pid: peer.pid });
  if (before.uid !== peer.uid || before.gid !== peer.gid) throw fault('ATT0104', { pid: peer.pid });
  // Of other users' processes an agent without CAP_SYS_PTRACE sees none; then no selector rests on it either.
  const program = executableIdentity(proc, peer.pid);
  return () =>
    sameCredentials(before, readCredentials(proc, peer.pid)) &&
    (program === undefined || sameFile(program, executableIdentity(proc, peer.pid)));
}

function sameCredentials(before: Credentials, now: Credentials | undefined): boolean {
  return (
    now?.uid === before.uid && now.gid === before.gid && sameMembers(now.supplementary, before.supplementary)
  );
}
