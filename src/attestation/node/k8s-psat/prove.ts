import { fault } from '../../../base/faults/fault.js';
import type { NodeProver } from '../prover.js';
import { k8sPsatType, type PsatEvidence, writeEvidence } from './protocol.js';

/** Shows the service account token of the agent's own pod. */
export function k8sPsatProver(evidence: PsatEvidence): NodeProver {
  return {
    type: k8sPsatType,
    payload: writeEvidence(evidence),
    answer: () => Promise.reject(fault('ATT0202', { method: k8sPsatType })),
  };
}
