import {
  activateAgent,
  allAgents,
  attest,
  banAgent,
  catchUpAgent,
  deleteAgent,
  renewAgent,
  setAgentVersion,
} from './agents.js';
import { appendAuthorities, appendedAuthorities } from './appended-authorities.js';
import { bundleSequence, lastBundleSequence } from './bundle.js';
import { changesSince, storePosition } from './changes.js';
import { checkWritable } from './check-writable.js';
import { storeCounts } from './counts.js';
import { createEntries, deleteEntries, entriesAfter, updateEntries } from './entries.js';
import { allFederatedBundles, deleteFederatedBundles, writeFederatedBundles } from './federated-bundles.js';
import { createJoinToken, joinToken, settleJoinToken, unsettledSerials } from './join-tokens.js';
import { moveForward, restoredAt } from './move-forward.js';
import type { Work } from './unit.js';

/** Units that only read: several may run beside those that write. */
const reads = {
  entriesAfter,
  allAgents,
  unsettledSerials,
  lastBundleSequence,
  allFederatedBundles,
  appendedAuthorities,
  storePosition,
  changesSince,
  storeCounts,
  restoredAt,
} as const;

/** Every unit of work by its name, which is what crosses to the thread that owns the database. */
export const units = {
  ...reads,
  createEntries,
  updateEntries,
  deleteEntries,
  attest,
  renewAgent,
  activateAgent,
  catchUpAgent,
  banAgent,
  setAgentVersion,
  deleteAgent,
  createJoinToken,
  joinToken,
  settleJoinToken,
  bundleSequence,
  checkWritable,
  appendAuthorities,
  writeFederatedBundles,
  deleteFederatedBundles,
  moveForward,
} as const;

export const isRead = (name: UnitName): boolean => name in reads;

export type UnitName = keyof typeof units;
export type UnitArgs<Name extends UnitName> = Parameters<(typeof units)[Name]>;
export type UnitResult<Name extends UnitName> =
  ReturnType<(typeof units)[Name]> extends Work<infer Result> ? Result : never;

/** One call of a unit, as it crosses to the thread. */
export interface UnitCall {
  readonly name: UnitName;
  readonly args: readonly unknown[];
}

export function startUnit({ name, args }: UnitCall): Work<unknown> {
  // The pair was type-checked when it was made (`UnitArgs`), and lost its type on the way between threads.
  const unit = units[name] as unknown as (...args: readonly unknown[]) => Work<unknown>;
  return unit(...args);
}
