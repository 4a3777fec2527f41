import type { Selector } from './entry.js';

declare const proof: unique symbol;

/**
 * A process on this node whose selectors were found out by the workload attestors. Proof as a value: only
 * `attestation/workload` makes one (through `vouchFor`), and whatever hands out identities accepts nothing else.
 */
export interface AttestedWorkload {
  readonly [proof]: true;
  readonly pid: number;
  readonly uid: number;
  readonly selectors: readonly Selector[];
  /** Whether the very process that was attested is still there. Asked again before every push. */
  isAlive(): boolean;
}

/** For `attestation/workload` (and the tests of rooms below it) alone. */
export function vouchFor(workload: Omit<AttestedWorkload, typeof proof>): AttestedWorkload {
  return workload as AttestedWorkload;
}
