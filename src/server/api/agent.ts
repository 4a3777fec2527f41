import { readCsr } from '../../ca/csr.js';
import type { Service } from '../../transport/service.js';
import { agentDenied } from '../agent-denied.js';
import { guardedService } from '../guarded-service.js';
import { agentOperatorMethods } from './agent-operators.js';
import { attestAgent } from './attest-agent.js';
import { type ApiContext, agentOf, loggedAgent } from './context.js';
import { svidMessage } from './messages.js';
import { required } from './required.js';

/** `spire.api.server.agent.v1.Agent`: attestation and renewal for agents, the list of agents and join tokens for operators. */
export function agentService(context: ApiContext): Service {
  const { authoriser, authorities, registry, agentTtl, log } = context;
  return guardedService('spire.api.server.agent.v1.Agent', authoriser, {
    AttestAgent: attestAgent(context),
    RenewAgent: {
      unary: async ({ params }, caller) => {
        const agent = agentOf(caller);
        if (agent.canReattest) throw agentDenied('SRV0106', 'AGENT_MUST_REATTEST');
        const { publicKey } = await readCsr(required(params?.csr, 'params.csr'));
        const svid = await authorities.issue({ id: agent.id, publicKey, dnsNames: [], ttlSeconds: agentTtl });
        const renewed = await registry.renewAgent(agent.id, {
          serial: svid.serial,
          expiresAt: svid.notAfter,
        });
        // Banned or deleted while the SVID was being made.
        if (!renewed) throw agentDenied('SRV0103', 'AGENT_NOT_ATTESTED');
        log.info({ agent: loggedAgent(agent.id), serial: svid.serial }, 'an agent renewed its SVID');
        return { svid: svidMessage(svid) };
      },
    },
    PostStatus: {
      unary: async ({ agent_version = '' }, caller) => {
        const agent = agentOf(caller);
        const version = agent_version.slice(0, maxVersionLength).replace(/[\p{C}]/gu, '');
        if (version !== agent.version) await registry.setAgentVersion(agent.id, version);
        return {};
      },
    },
    ...agentOperatorMethods(context),
  });
}

/** Agents say what they are; nobody relies on it, so it is only kept short. */
const maxVersionLength = 128;
