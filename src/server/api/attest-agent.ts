import { acknowledgesHeader } from '../../attestation/node/acknowledgement.js';
import { fault } from '../../base/faults/fault.js';
import { networkOfPeer } from '../../transport/network.js';
import type { StreamCall } from '../../transport/service.js';
import type { MessageIn, MessageOut } from '../../wire/names.js';
import { type NodeAdmission, nodeAttestation } from '../attest-node.js';
import type { Caller } from '../authorise.js';
import type { GuardedStream } from '../guarded-service.js';
import { type ApiContext, actorOf, loggedAgent } from './context.js';
import { svidMessage } from './messages.js';
import { required } from './required.js';

type AttestRequest = MessageOut<'spire.api.server.agent.v1.AttestAgentRequest'>;
type AttestResponse = MessageIn<'spire.api.server.agent.v1.AttestAgentResponse'>;
type AttestCall = GuardedStream<AttestRequest, AttestResponse>;

/** Milliseconds that an agent may take for its first message, for each answer, and to close its half at the end. */
const answerMs = 10_000;

/** AttestAgent: evidence in, an SVID out, to anybody; so it is limited how often and for how long (S11). */
export function attestAgent(context: ApiContext) {
  const { authorities, registry, verifiers, agentTtl, attempts } = context;
  const attestation = nodeAttestation(verifiers, registry, authorities, agentTtl);
  return {
    stream: async (call: AttestCall, caller: Caller) => {
      const { params, challenge, acknowledged } = await attestationSteps(call, answerMs);
      const { peer, signal } = call;
      const succeeded =
        peer.kind === 'tls' ? await attempts.begin(networkOfPeer(peer.address), signal) : () => {};
      const admission = await attestation.admit(params, challenge);
      succeeded();
      try {
        const { svid, reattestable } = admission;
        await call.send({ result: { svid: svidMessage(svid), reattestable } });
        if (call.metadata.get(acknowledgesHeader).length > 0) await acknowledged();
        await deliver(context, call, caller, admission);
      } finally {
        admission.over();
      }
    },
  };
}

async function deliver(
  { log }: ApiContext,
  { signal }: AttestCall,
  caller: Caller,
  { svid, delivered }: NodeAdmission,
): Promise<void> {
  const from = actorOf(caller);
  if (signal.aborted) {
    log.warn({ from }, 'an agent was attested, but went away before it had its SVID');
    return;
  }
  await delivered();
  // Not before the join token is gone: it is part of the ID.
  log.info({ agent: loggedAgent(svid.id), serial: svid.serial, from }, 'an agent was attested');
}

/**
 * Reads the stream of an attestation: the parameters first, then an answer to each challenge, each of them within `answerMs`.
 * Throws SRV0201, SRV0205, ATT0502.
 */
export async function attestationSteps(
  call: Pick<StreamCall<AttestRequest, AttestResponse>, 'requests' | 'send'>,
  answerMs: number,
) {
  const requests = call.requests[Symbol.asyncIterator]();
  const nextInTime = () => inTime(requests.next(), answerMs);
  const next = async () => {
    const { done, value } = await nextInTime();
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
      while (!(await nextInTime()).done);
      // When a call is broken off its requests end first, and its signal follows.
      await new Promise(setImmediate);
    },
  };
}

async function inTime<T>(next: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(fault('ATT0502', { seconds: ms / 1000 })), ms);
  });
  try {
    return await Promise.race([next, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
