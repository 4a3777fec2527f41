import { acknowledgesHeader } from '../../attestation/node/acknowledgement.js';
import { fault } from '../../base/faults/fault.js';
import { readCsr } from '../../ca/csr.js';
import type { Service } from '../../transport/service.js';
import type { MessageIn, MessageOut } from '../../wire/names.js';
import { agentDenied } from '../agent-denied.js';
import { nodeAttestation } from '../attest-node.js';
import type { GuardedStream } from '../guarded-service.js';
import { guardedService } from '../guarded-service.js';
import { agentOperatorMethods } from './agent-operators.js';
import { type ApiContext, actorOf, agentOf, loggedAgent } from './context.js';
import { svidMessage } from './messages.js';

type AttestRequest = MessageOut<'spire.api.server.agent.v1.AttestAgentRequest'>;
type AttestResponse = MessageIn<'spire.api.server.agent.v1.AttestAgentResponse'>;

/** `spire.api.server.agent.v1.Agent`: attestation and renewal for agents, the list of agents and join tokens for operators. */
export function agentService(context: ApiContext): Service {
  const { authoriser, authorities, registry, verifiers, agentTtl, log } = context;
  const attestation = nodeAttestation(verifiers, registry, authorities, agentTtl);
  return guardedService('spire.api.server.agent.v1.Agent', authoriser, {
    AttestAgent: {
      stream: async (call, caller) => {
        const { params, challenge, acknowledged } = await attestationSteps(call);
        const admission = await attestation.admit(params, challenge);
        try {
          const { svid, reattestable } = admission;
          await call.send({ result: { svid: svidMessage(svid), reattestable } });
          if (call.metadata.get(acknowledgesHeader).length > 0) await acknowledged();
          if (call.signal.aborted) {
            log.warn(
              { from: actorOf(caller) },
              'an agent was attested, but went away before it had its SVID',
            );
            return;
          }
          await admission.delivered();
          // Not before the join token is gone: it is part of the ID.
          log.info(
            { agent: loggedAgent(svid.id), serial: svid.serial, from: actorOf(caller) },
            'an agent was attested',
          );
        } finally {
          admission.over();
        }
      },
    },
    RenewAgent: {
      unary: async ({ params }, caller) => {
        const agent = agentOf(caller);
        if (agent.canReattest) throw agentDenied('SRV0106', 'AGENT_MUST_REATTEST');
        const { publicKey } = readCsr(required(params?.csr, 'params.csr'));
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

/** Reads the stream of an attestation: the parameters first, then an answer to each challenge. Throws SRV0201, SRV0205. */
async function attestationSteps(call: GuardedStream<AttestRequest, AttestResponse>) {
  const requests = call.requests[Symbol.asyncIterator]();
  const next = async () => {
    const { done, value } = await requests.next();
    if (done) throw fault('SRV0205', { problem: 'it ended too early' });
    return value;
  };
  const { params } = await next();
  if (!params) throw fault('SRV0205', { problem: 'it does not begin with the parameters' });
  return {
    params: {
      method: required(params.data?.type, 'params.data.type'),
      payload: required(params.data?.payload, 'params.data.payload'),
      csr: required(params.params?.csr, 'params.params.csr'),
    },
    challenge: async (bytes: Uint8Array): Promise<Uint8Array> => {
      await call.send({ challenge: bytes });
      const { challenge_response } = await next();
      if (!challenge_response) throw fault('SRV0205', { problem: 'a challenge was not answered' });
      return challenge_response;
    },
    /** Resolves when the agent closes its half, which says that it has kept its SVID, or when the call is broken off. */
    acknowledged: async (): Promise<void> => {
      while (!(await requests.next()).done);
      // When a call is broken off its requests end first, and its signal follows.
      await new Promise(setImmediate);
    },
  };
}

function required<Value extends string | Uint8Array>(value: Value | undefined | null, field: string): Value {
  if (value === undefined || value === null || value.length === 0) throw fault('SRV0201', { field });
  return value;
}
