import type { AttestedAgent, NodeVerifier } from '../attestation/node/verifier.js';
import { fault } from '../base/faults/fault.js';
import { readCsr } from '../ca/csr.js';
import type { IssuedSvid } from '../ca/issue-x509-svid.js';
import { agentDenied } from './agent-denied.js';
import type { Authorities } from './authorities.js';
import type { Registry } from './registry.js';

export interface AttestationParams {
  readonly method: string;
  readonly payload: Uint8Array;
  /** Only its key counts (S4). */
  readonly csr: Uint8Array;
}

export interface NodeAdmission {
  readonly svid: IssuedSvid;
  readonly reattestable: boolean;
  /** To be called once the agent has the SVID. Until then its join token can be redeemed again, by this attempt's successor. */
  delivered(): Promise<void>;
  /** To be called when the attempt is over, however it went. */
  over(): void;
}

export interface NodeAttestation {
  /**
   * Judges a node's evidence, issues its agent's SVID and records both; what it throws has used nothing up.
   * Throws SRV0105, SRV0401, ATT02xx, CAS02xx, STO02xx.
   */
  admit(
    params: AttestationParams,
    challenge: (bytes: Uint8Array) => Promise<Uint8Array>,
  ): Promise<NodeAdmission>;
}

export function nodeAttestation(
  verifiers: readonly NodeVerifier[],
  registry: Registry,
  authorities: Authorities,
  ttlSeconds: number,
): NodeAttestation {
  // Hashes of join tokens whose SVID is on its way: nobody else may redeem one meanwhile (S10).
  const underway = new Set<string>();
  return {
    admit: async ({ method, payload, csr }, challenge) => {
      const verifier = verifiers.find(({ type }) => type === method);
      if (!verifier) {
        throw fault('SRV0401', { method, known: verifiers.map(({ type }) => type).join(', ') });
      }
      const { publicKey } = await readCsr(csr);
      const node = await verifier.verify(payload, challenge);
      if (registry.agent(node.id)?.banned) throw agentDenied('SRV0105', 'AGENT_BANNED');
      const over = reserve(underway, node);
      try {
        const svid = await authorities.issue({ id: node.id, publicKey, dnsNames: [], ttlSeconds });
        await record(registry, method, node, svid);
        const delivered = () => (node.joinToken ? registry.settleJoinToken(svid.serial) : Promise.resolve());
        return { svid, reattestable: node.canReattest, delivered, over };
      } catch (error) {
        over();
        throw error;
      }
    },
  };
}

/** Gives how to let go of it. Throws ATT0201 when another attempt has it. */
function reserve(underway: Set<string>, { joinToken }: AttestedAgent): () => void {
  if (!joinToken) return () => undefined;
  const { hash } = joinToken;
  if (underway.has(hash)) throw fault('ATT0201', {});
  underway.add(hash);
  return () => void underway.delete(hash);
}

async function record(
  registry: Registry,
  method: string,
  node: AttestedAgent,
  svid: IssuedSvid,
): Promise<void> {
  const { joinToken } = node;
  const outcome = await registry.attest({
    agent: {
      id: node.id,
      attestationType: method,
      selectors: node.selectors,
      canReattest: node.canReattest,
      serial: svid.serial,
      expiresAt: svid.notAfter,
    },
    ...(joinToken ? { joinToken } : {}),
  });
  if (outcome.kind === 'banned') throw agentDenied('SRV0105', 'AGENT_BANNED');
  if (outcome.kind === 'redeemed') throw fault('ATT0201', {});
}
