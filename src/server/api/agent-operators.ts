import { checkJoinToken, joinTokenHash, newJoinToken } from '../../attestation/node/join-token/token.js';
import { fault } from '../../base/faults/fault.js';
import { checkEntryId } from '../../registration/entry-rules.js';
import { parseSpiffeId, type SpiffeId, type TrustDomain, trustDomainOf } from '../../spiffe/id.js';
import type { MessageOut } from '../../wire/names.js';
import { type Caller, isAgentId } from '../authorise.js';
import type { AgentRecord } from '../ports.js';
import { agentFilter } from './agent-filter.js';
import { type ApiContext, actorOf, loggedAgent } from './context.js';
import { agentMessage, idText } from './messages.js';
import { pageOf } from './paging.js';

/** What operators do with agents and join tokens. */
export function agentOperatorMethods({ registry, trustDomain, clock, log }: ApiContext) {
  const known = (message: IdMessage) => {
    const id = checkAgentId(parseSpiffeId(idText(message, 'id')), trustDomain);
    const agent = registry.agent(id);
    if (!agent) throw fault('SRV0404', { id });
    return agent;
  };
  return {
    CountAgents: {
      unary: async ({ filter }: MessageOut<'spire.api.server.agent.v1.CountAgentsRequest'>) => ({
        count: [...registry.agents()].filter(agentFilter(filter)).length,
      }),
    },
    ListAgents: {
      unary: async (request: MessageOut<'spire.api.server.agent.v1.ListAgentsRequest'>) => {
        const source = {
          after: registry.agentsAfter,
          keyOf: ({ id }: AgentRecord) => id,
          matches: agentFilter(request.filter),
        };
        const { items, next_page_token } = pageOf(source, request);
        return { agents: items.map((agent) => agentMessage(agent, request.output_mask)), next_page_token };
      },
    },
    GetAgent: {
      unary: async ({ id, output_mask }: MessageOut<'spire.api.server.agent.v1.GetAgentRequest'>) =>
        agentMessage(known(id), output_mask),
    },
    DeleteAgent: {
      unary: async ({ id }: MessageOut<'spire.api.server.agent.v1.DeleteAgentRequest'>, caller: Caller) => {
        const agent = known(id);
        const { deleted } = await registry.deleteAgent(agent.id);
        if (!deleted) throw fault('SRV0404', { id: agent.id });
        log.info({ agent: loggedAgent(agent.id), by: actorOf(caller) }, 'an agent was deleted');
        return {};
      },
    },
    BanAgent: {
      unary: async ({ id }: MessageOut<'spire.api.server.agent.v1.BanAgentRequest'>, caller: Caller) => {
        const agent = known(id);
        if (!(await registry.banAgent(agent.id))) throw fault('SRV0404', { id: agent.id });
        log.warn({ agent: loggedAgent(agent.id), by: actorOf(caller) }, 'an agent was banned');
        return {};
      },
    },
    CreateJoinToken: {
      unary: async (
        request: MessageOut<'spire.api.server.agent.v1.CreateJoinTokenRequest'>,
        caller: Caller,
      ) => {
        const { ttl = 0, token, agent_id } = request;
        if (ttl <= 0) throw fault('SRV0402', {});
        const value = token ? checkJoinToken(token) : newJoinToken();
        const aliasId = agent_id ? checkEntryId(idText(agent_id, 'agent_id'), trustDomain) : '';
        const expiresAt = clock.now() + ttl * 1000;
        const created = await registry.createJoinToken({ hash: joinTokenHash(value), expiresAt, aliasId });
        if (!created) throw fault('SRV0403', {});
        log.info({ alias: aliasId, ttl, by: actorOf(caller) }, 'a join token was made');
        return { value, expires_at: Math.floor(expiresAt / 1000) };
      },
    },
  };
}

type IdMessage = MessageOut<'spire.api.types.SPIFFEID'> | undefined | null;

/** Throws SRV0405. */
function checkAgentId(id: SpiffeId, trustDomain: TrustDomain): SpiffeId {
  if (trustDomainOf(id) !== trustDomain || !isAgentId(id)) throw fault('SRV0405', { id, trustDomain });
  return id;
}
