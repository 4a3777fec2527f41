import { fault } from '../../../base/faults/fault.js';
import type { NodeProver } from '../prover.js';
import { joinTokenType } from './token.js';

/** Shows a join token that an operator made with `plastron node token`. */
export function joinTokenProver(token: string): NodeProver {
  return {
    type: joinTokenType,
    payload: Buffer.from(token),
    answer: () => Promise.reject(fault('ATT0202', { method: joinTokenType })),
  };
}
