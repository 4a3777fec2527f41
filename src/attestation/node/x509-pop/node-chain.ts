import { Fault, fault } from '../../../base/faults/fault.js';
import { type Certificate, readCertificate } from '../../../spiffe/certificate.js';
import { findAllPaths } from '../../../spiffe/certificate-path.js';
import { keyUsageBits } from '../../../spiffe/oids.js';
import { type NodeKey, readNodeKey } from './node-key.js';

/** A node's certificate that an authority of the operator vouches for. Made only by `verifyNodeChain`. */
export interface NodeChain {
  readonly leaf: Certificate;
  readonly key: NodeKey;
  /** Every path that was verified, the leaf first, the authority last. */
  readonly paths: readonly (readonly Certificate[])[];
}

/**
 * Verifies certificates (DER, the leaf first, at most as many as `readEvidence` lets through) against the operator's
 * authorities: RFC 5280 §6.1 as for SVIDs, for any purpose; the leaf may sign (key usage digitalSignature), and no key is
 * larger than it may be. What is used afterwards is what was verified here (S13). Throws ATT0302.
 */
export function verifyNodeChain(
  chain: readonly Uint8Array[],
  authorities: readonly Certificate[],
  atMs: number,
): NodeChain {
  try {
    const [leaf, ...intermediates] = chain.map(readCertificate);
    if (!leaf) throw fault('ATT0302', { problem: 'there is none' });
    const [key] = [leaf, ...intermediates].map(({ publicKey }) => readNodeKey(publicKey));
    if (!key) throw fault('ATT0302', { problem: 'there is none' });
    if (!leaf.keyUsage?.has(keyUsageBits.digitalSignature)) {
      throw fault('ATT0302', { problem: 'its key usage leaves out digitalSignature' });
    }
    const paths = findAllPaths(leaf, intermediates, authorities, atMs);
    if (paths.length === 0) {
      throw fault('ATT0302', { problem: 'no configured authority vouches for it' });
    }
    return { leaf, key, paths };
  } catch (error) {
    if (!(error instanceof Fault) || error.code === 'ATT0302') throw error;
    throw fault('ATT0302', { problem: error.message }, { cause: error });
  }
}
