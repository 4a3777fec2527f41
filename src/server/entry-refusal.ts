import { type Fault, fault } from '../base/faults/fault.js';
import type { EntryOutcome } from './ports.js';

/** Why the entry with this ID was not written; `undefined` for one that was. */
export function entryRefusal(outcome: EntryOutcome | undefined, id: string): Fault | undefined {
  switch (outcome?.kind) {
    case 'written':
      return undefined;
    case 'similar':
      return fault('SRV0302', { id: outcome.entry.id });
    case 'no bundle':
      return fault('SRV0304', { trustDomain: outcome.trustDomain });
    default:
      return fault('SRV0301', { id });
  }
}
