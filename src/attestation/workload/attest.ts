import { type Fault, fault, isFault } from '../../base/faults/fault.js';
import { shared } from '../../base/share.js';
import { type AttestedWorkload, vouchFor } from '../../registration/attested-workload.js';
import type { Log } from '../../telemetry/log.js';
import type { Peer, UnixPeer } from '../../transport/peer.js';
import type { Findings, WorkloadAttestor } from './attestor.js';
import { holdProcess } from './held-process.js';

export type AttestWorkload = (peer: Peer) => Promise<AttestedWorkload>;

/**
 * Attests the process at the other end of a unix socket: once, when it opens a stream. What comes out answers `isAlive`
 * before every push: the very process is still there (its pidfd, not its pid), it runs the same program under the same user
 * and groups, and each attestor's facts are unchanged. Streams that one connection opens at the same time are attested
 * together, so however many a caller opens, it costs one look at a time (S30).
 *
 * When an attestor fails nothing is handed out, and the caller tries again (S25): the selectors that the others found would
 * be in force for as long as the stream, and another entry, or none, would stand in for the right one. Throws ATT0101 for a
 * peer that is no process of this node, ATT0102 when the process is gone or changed while it was looked at, ATT0103 and
 * ATT0104 for a process that is not to be attested, ATT0105 when an attestor failed.
 */
export function workloadAttestation(
  attestors: readonly WorkloadAttestor[],
  log: Log,
  proc = '/proc',
): AttestWorkload {
  const attest = shared((peer: UnixPeer) => attestProcess(peer, attestors, log, proc));
  return async (peer) => {
    if (peer.kind !== 'unix') throw fault('ATT0101', { address: peer.address });
    return attest(peer);
  };
}

async function attestProcess(
  peer: UnixPeer,
  attestors: readonly WorkloadAttestor[],
  log: Log,
  proc: string,
): Promise<AttestedWorkload> {
  requireAlive(peer);
  const isUnchanged = holdProcess(peer, proc);
  const findings = await Promise.all(attestors.map((attestor) => findingsOf(attestor, peer, log)));
  const workload = vouchFor({
    pid: peer.pid,
    uid: peer.uid,
    selectors: findings.flatMap(({ selectors }) => selectors),
    isAlive: () => peer.isAlive() && isUnchanged() && findings.every((found) => found.stillHold()),
  });
  requireAlive(workload);
  return workload;
}

/** Before and after: a pid that was alive at both ends of the reading was never reused in between. */
function requireAlive(process: { pid: number; isAlive(): boolean }): void {
  if (!process.isAlive()) throw fault('ATT0102', { pid: process.pid });
}

/** The log says what was wrong; the caller, who may be anybody, learns which attestor it was and no more. */
async function findingsOf(attestor: WorkloadAttestor, peer: UnixPeer, log: Log): Promise<Findings> {
  try {
    return await attestor.attest(peer);
  } catch (error) {
    if (isOfTheProcess(error)) throw error;
    log.warn({ attestor: attestor.type, pid: peer.pid, error }, 'a workload attestor failed');
    throw fault('ATT0105', { attestor: attestor.type, pid: peer.pid }, { cause: error });
  }
}

function isOfTheProcess(error: unknown): error is Fault {
  return isFault(error, 'ATT0102') || isFault(error, 'ATT0103');
}
