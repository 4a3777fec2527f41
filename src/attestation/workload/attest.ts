import { fault } from '../../base/faults/fault.js';
import { type AttestedWorkload, vouchFor } from '../../registration/attested-workload.js';
import type { Log } from '../../telemetry/log.js';
import type { Peer, UnixPeer } from '../../transport/peer.js';
import type { Findings, WorkloadAttestor } from './attestor.js';

export type AttestWorkload = (peer: Peer) => Promise<AttestedWorkload>;

/**
 * Attests the process at the other end of a unix socket: once, when it opens a stream. What comes out answers `isAlive`
 * before every push: the very process is still there (its pidfd, not its pid), and each attestor's facts are unchanged (a
 * process that has executed another program since is no longer the one that was attested).
 *
 * An attestor that fails contributes no selectors and is logged: entries that need them do not match (S25). Throws ATT0101
 * for a peer that is no process of this node, ATT0102 when the process is gone or changed while it was looked at.
 */
export function workloadAttestation(attestors: readonly WorkloadAttestor[], log: Log): AttestWorkload {
  return async (peer) => {
    if (peer.kind !== 'unix') throw fault('ATT0101', { address: peer.address });
    requireAlive(peer);
    const findings = await Promise.all(attestors.map((attestor) => findingsOf(attestor, peer, log)));
    const workload = vouchFor({
      pid: peer.pid,
      uid: peer.uid,
      selectors: findings.flatMap(({ selectors }) => selectors),
      isAlive: () => peer.isAlive() && findings.every((found) => found.stillHold()),
    });
    requireAlive(workload);
    return workload;
  };
}

/** Before and after: a pid that was alive at both ends of the reading was never reused in between. */
function requireAlive(process: { pid: number; isAlive(): boolean }): void {
  if (!process.isAlive()) throw fault('ATT0102', { pid: process.pid });
}

async function findingsOf(attestor: WorkloadAttestor, peer: UnixPeer, log: Log): Promise<Findings> {
  try {
    return await attestor.attest(peer);
  } catch (error) {
    log.warn({ attestor: attestor.type, pid: peer.pid, error }, 'a workload attestor failed');
    return { selectors: [], stillHold: () => true };
  }
}
