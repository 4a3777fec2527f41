import type { Metadata } from '@grpc/grpc-js';
import { Fault } from '../base/faults/fault.js';
import { remoteStatus } from '../transport/grpc-client.js';
import { decode, typeUrlOf } from '../wire/messages.js';

/**
 * Why the server does not accept an agent, as SPIRE says it: in the details of a PERMISSION_DENIED. Without such details a
 * refusal says nothing about the agent itself, and the agent only tries again.
 */
export type AgentRefusal =
  | 'AGENT_EXPIRED'
  | 'AGENT_NOT_ATTESTED'
  | 'AGENT_NOT_ACTIVE'
  | 'AGENT_BANNED'
  | 'AGENT_MUST_REATTEST';

const reasons: ReadonlySet<string> = new Set<AgentRefusal>([
  'AGENT_EXPIRED',
  'AGENT_NOT_ATTESTED',
  'AGENT_NOT_ACTIVE',
  'AGENT_BANNED',
  'AGENT_MUST_REATTEST',
]);
const detailsName = 'spire.api.types.PermissionDeniedDetails';

export function agentRefusalOf(error: unknown): AgentRefusal | undefined {
  if (!(error instanceof Fault) || remoteStatus(error) !== 'PERMISSION_DENIED') return undefined;
  const { metadata } = error.cause as { metadata?: Metadata };
  const [bytes] = metadata?.get('grpc-status-details-bin') ?? [];
  if (!(bytes instanceof Uint8Array)) return undefined;
  try {
    for (const { type_url, value } of decode('google.rpc.Status', bytes).details ?? []) {
      if (type_url !== typeUrlOf(detailsName)) continue;
      const { reason = '' } = decode(detailsName, value ?? new Uint8Array());
      if (reasons.has(reason)) return reason as AgentRefusal;
    }
  } catch {
    // Details that cannot be read are no details.
  }
  return undefined;
}
