import { type Fault, fault } from '../base/faults/fault.js';
import { encode, typeUrlOf } from '../wire/messages.js';

export type DenialReason =
  | 'AGENT_EXPIRED'
  | 'AGENT_NOT_ATTESTED'
  | 'AGENT_NOT_ACTIVE'
  | 'AGENT_BANNED'
  | 'AGENT_MUST_REATTEST';

type DenialCode = 'SRV0102' | 'SRV0103' | 'SRV0104' | 'SRV0105' | 'SRV0106';

const detailName = 'spire.api.types.PermissionDeniedDetails';

/** A refusal with the detail that agents act on: attest anew, or shut down. */
export function agentDenied(code: DenialCode, reason: DenialReason): Fault {
  return fault(
    code,
    {},
    { detail: { typeUrl: typeUrlOf(detailName), value: encode(detailName, { reason }) } },
  );
}
