import type { Clock } from '../../../base/clock.js';
import { Fault, fault } from '../../../base/faults/fault.js';
import { type TrustDomain, workloadId } from '../../../spiffe/id.js';
import type { JoinToken, NodeVerifier } from '../verifier.js';
import { checkJoinToken, joinTokenHash, joinTokenType } from './token.js';

/** Where join tokens are looked up. */
export interface JoinTokens {
  joinToken(hash: string): Promise<JoinToken | undefined>;
}

/**
 * Accepts a join token of this server that has not expired and is not used up; unknown, used and expired ones get the same
 * answer. The agent is called `/spire/agent/join_token/<token>`, as SPIRE calls it, and has no selectors. Throws ATT0201.
 */
export function joinTokenVerifier(tokens: JoinTokens, trustDomain: TrustDomain, clock: Clock): NodeVerifier {
  return {
    type: joinTokenType,
    verify: async (payload) => {
      const token = tokenOf(payload);
      const joinToken = await tokens.joinToken(joinTokenHash(token));
      if (!joinToken || joinToken.expiresAt <= clock.now()) throw fault('ATT0201', {});
      const id = workloadId(trustDomain, `/spire/agent/${joinTokenType}/${token}`);
      return { id, selectors: [], canReattest: false, joinToken };
    },
  };
}

function tokenOf(payload: Uint8Array): string {
  try {
    return checkJoinToken(Buffer.from(payload).toString('latin1'));
  } catch (error) {
    // The rules are for those who make tokens; whoever shows one learns only that it is no good.
    throw error instanceof Fault ? fault('ATT0201', {}) : error;
  }
}
