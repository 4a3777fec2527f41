import { randomBytes } from 'node:crypto';
import type { Clock } from '../../../base/clock.js';
import { Fault, fault } from '../../../base/faults/fault.js';
import { type Certificate, mayIssue, readCertificate } from '../../../spiffe/certificate.js';
import { type TrustDomain, workloadId } from '../../../spiffe/id.js';
import type { NodeVerifier } from '../verifier.js';
import { verifyNodeChain } from './node-chain.js';
import { isSignedByNode } from './node-key.js';
import { certificatesOf } from './pem-certificates.js';
import { nonceBytes, readAnswer, readEvidence, writeChallenge, x509PopType } from './protocol.js';
import { fingerprintOf, nodeSelectors } from './selectors.js';

/**
 * Accepts a node that has a certificate of one of the operator's authorities and, by a challenge, its key: SPIRE's `x509pop`.
 * The agent is called `/spire/agent/x509pop/<SHA-1 of the certificate>` and can attest again. Throws ATT0301 for what cannot
 * be read, ATT0302 for a certificate that is not accepted, ATT0303 for a challenge that was not answered with its key.
 */
export function x509PopVerifier(
  authorities: readonly Certificate[],
  trustDomain: TrustDomain,
  clock: Clock,
): NodeVerifier {
  return {
    type: x509PopType,
    verify: async (payload, challenge) => {
      const chain = verifyNodeChain(readEvidence(payload), authorities, clock.now());
      const { leaf, key } = chain;
      const nonce = randomBytes(nonceBytes);
      const answer = readAnswer(
        await challenge(writeChallenge({ kind: key.kind, nonce })),
        key.kind,
        key.signatureBytes,
      );
      if (!isSignedByNode(key, nonce, answer)) throw fault('ATT0303', {});
      const id = workloadId(trustDomain, `/spire/agent/${x509PopType}/${fingerprintOf(leaf.der)}`);
      return { id, selectors: nodeSelectors(chain, trustDomain), canReattest: true };
    },
  };
}

/** Reads the authorities of nodes from a PEM file: CA certificates, at least one and nothing else. Throws ATT0305. */
export function readNodeAuthorities(path: string, pem: string): Certificate[] {
  const refuse = (problem: string) => fault('ATT0305', { path, problem });
  const authorities = certificatesOf(pem, refuse).map((der) => {
    try {
      return readCertificate(der);
    } catch (error) {
      throw error instanceof Fault ? refuse(error.message) : error;
    }
  });
  const other = authorities.find((certificate) => !mayIssue(certificate));
  if (other) throw refuse(`the certificate ${other.serial} is no CA that may sign certificates`);
  return authorities;
}
