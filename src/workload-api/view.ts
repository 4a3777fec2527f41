import { fault } from '../base/faults/fault.js';
import type { AttestedWorkload } from '../registration/attested-workload.js';
import type { Bundle } from '../spiffe/bundle.js';
import type { SpiffeId } from '../spiffe/id.js';
import type { X509Svid } from '../spiffe/x509-svid.js';

/** What one registration entry gives to a workload. */
export interface WorkloadIdentity {
  readonly entryId: string;
  readonly id: SpiffeId;
  /** By which the workload tells its identities apart; `''` for none. */
  readonly hint: string;
  /** `undefined` while there is none, and when it has expired. */
  readonly svid: X509Svid | undefined;
}

/** All that a workload may have at one instant. What did not change is the same object as before. */
export interface WorkloadView {
  /** The default one first, then by age, so that the order is the same every time (Workload API §8). */
  readonly identities: readonly WorkloadIdentity[];
  /** Of the trust domain of the agent. */
  readonly bundle: Bundle;
  /** Of the trust domains that the workload's entries federate with, as far as they are known. */
  readonly federated: readonly Bundle[];
}

/** The port that the agent fills. */
export interface WorkloadViews {
  /** `unknown` before the agent has heard from its server in this life, and when that does not take it any more. */
  of(workload: AttestedWorkload): WorkloadView | 'unknown';
  /** Word of every change of what anybody may have. */
  onChange(listener: () => void): () => void;
}

/**
 * The identities as they are handed out: of several with one hint the first, which is the older one, since hints are unique
 * within one answer (Workload API §5.2.1).
 */
export function identitiesIn({ identities }: WorkloadView): WorkloadIdentity[] {
  const taken = new Set<string>();
  return identities.filter(({ hint }) => hint === '' || (!taken.has(hint) && taken.add(hint)));
}

/** The bundles that the workload judges others by, the own one first. */
export function bundlesIn({ bundle, federated }: WorkloadView): readonly Bundle[] {
  return [bundle, ...federated];
}

/** Throws WLA0201, which says no selector: whoever asks learns nothing of how workloads are told apart. */
export function requireIdentity({ identities }: WorkloadView, { pid }: AttestedWorkload): void {
  if (identities.length === 0) throw fault('WLA0201', { pid });
}
