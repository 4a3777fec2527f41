import type { GrpcConnection } from '../../transport/grpc-client.js';
import type { MessageIn, MessageOut } from '../../wire/names.js';
import { serviceDefinition } from '../../wire/services.js';
import { idText } from '../admin.js';
import { everyPage } from '../pages.js';
import { instant } from '../times.js';

export type AgentMessage = MessageOut<'spire.api.types.Agent'>;
export type AgentFilter = NonNullable<MessageIn<'spire.api.server.agent.v1.ListAgentsRequest'>['filter']>;

export const agentApi = serviceDefinition('spire.api.server.agent.v1.Agent');

/** The nodes that a filter lets through, page by page. */
export function listAgents(
  server: GrpcConnection,
  filter: AgentFilter = {},
  tell?: (count: number) => void,
): Promise<AgentMessage[]> {
  return everyPage(async (page) => {
    const { agents = [], next_page_token } = await server.unary(agentApi.ListAgents, { filter, ...page });
    return { items: agents, next: next_page_token };
  }, tell);
}

/** `expired`: the agent did not renew its SVID in time, so it must attest again. */
export type NodeState = 'active' | 'banned' | 'expired';

export function nodeState(agent: AgentMessage, nowMs: number): NodeState {
  if (agent.banned) return 'banned';
  return Number(agent.x509svid_expires_at ?? 0) * 1000 <= nowMs ? 'expired' : 'active';
}

/** A node as programs are given it. */
export function nodeFields(agent: AgentMessage, nowMs: number) {
  return {
    id: idText(agent.id),
    state: nodeState(agent, nowMs),
    attestation: agent.attestation_type ?? '',
    selectors: (agent.selectors ?? []).map(({ type, value }) => `${type}:${value}`),
    canReattest: agent.can_reattest ?? false,
    svidSerial: agent.x509svid_serial_number ?? '',
    svidExpiresAt: instant(agent.x509svid_expires_at),
    agentVersion: agent.agent_version ?? '',
  };
}
