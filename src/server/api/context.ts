import type { NodeVerifier } from '../../attestation/node/verifier.js';
import type { Clock } from '../../base/clock.js';
import type { SpiffeId, TrustDomain } from '../../spiffe/id.js';
import type { SvidSource } from '../../spiffe/source.js';
import type { Log } from '../../telemetry/log.js';
import type { AttemptLimit } from '../attempt-limit.js';
import type { Authoriser, Caller } from '../authorise.js';
import type { Authorities } from '../authorities.js';
import type { BackupParts } from '../backup/write-backup.js';
import type { FederatedBundles } from '../federated-bundles.js';
import type { AgentRecord } from '../ports.js';
import type { Registry } from '../registry.js';

/** What the services of the API stand on. */
export interface ApiContext {
  readonly trustDomain: TrustDomain;
  readonly registry: Registry;
  readonly federatedBundles: FederatedBundles;
  readonly authorities: Authorities;
  readonly authoriser: Authoriser;
  /** The server's own SVID. */
  readonly identity: SvidSource;
  /** One a way for nodes to attest. */
  readonly verifiers: readonly NodeVerifier[];
  readonly attempts: AttemptLimit;
  readonly backup: BackupParts;
  readonly clock: Clock;
  readonly log: Log;
  /** Seconds, for entries that do not say. */
  readonly x509SvidTtl: number;
  readonly jwtSvidTtl: number;
  /** Seconds. */
  readonly agentTtl: number;
}

/** The agent behind a call to a method that the access table keeps for agents. */
export function agentOf(caller: Caller): AgentRecord {
  if (caller.kind !== 'agent') throw new Error('a method for agents let somebody else in');
  return caller.agent;
}

/** Who did it, for the log. */
export function actorOf(caller: Caller): string {
  switch (caller.kind) {
    case 'local':
      return `uid:${caller.uid}`;
    case 'anonymous':
      return caller.address;
    default:
      return caller.peer.id;
  }
}

/** How the log names an agent. A join token ends the ID of its agent: it is spent by then, and still no log need have it. */
export function loggedAgent(id: SpiffeId): string {
  return id.replace(/(\/join_token\/.{8}).+/, '$1...');
}
