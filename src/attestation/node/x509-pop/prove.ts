import { createPrivateKey, type KeyObject, randomBytes, X509Certificate } from 'node:crypto';
import { fault } from '../../../base/faults/fault.js';
import type { NodeProver } from '../prover.js';
import { signNonces } from './node-key.js';
import { certificatesOf } from './pem-certificates.js';
import {
  type Challenge,
  nonceBytes,
  readChallenge,
  writeAnswer,
  writeEvidence,
  x509PopType,
} from './protocol.js';

/** A node's certificate with its intermediates, and its key, both PEM, and where they came from for messages. */
export interface NodeCertificate {
  readonly path: string;
  readonly chainPem: string;
  readonly keyPem: string;
}

/** Shows a certificate and proves that the node has its key. Throws ATT0304 for files that do not fit together. */
export function x509PopProver({ path, chainPem, keyPem }: NodeCertificate): NodeProver {
  const refuse = (problem: string) => fault('ATT0304', { path, problem });
  const chain = certificatesOf(chainPem, refuse);
  const key = privateKeyOf(keyPem, refuse);
  const kind = kindOf(key);
  if (!kind) throw refuse('its key is neither RSA nor EC');
  if (!isKeyOf(key, chain[0])) throw refuse('the key is not that of the first certificate');
  return {
    type: x509PopType,
    payload: writeEvidence(chain),
    answer: async (bytes) => {
      const challenge = readChallenge(bytes, kind);
      const nonce = randomBytes(nonceBytes);
      const signature = signNonces({ kind, key }, challenge.nonce, nonce);
      return writeAnswer(kind, { nonce, signature });
    },
  };
}

function privateKeyOf(pem: string, refuse: (problem: string) => Error): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // OpenSSL's own words would not help, and might hold more than they should.
    throw refuse('its key is no private key in PEM, without a passphrase');
  }
}

function isKeyOf(key: KeyObject, leaf: Uint8Array = new Uint8Array()): boolean {
  try {
    return new X509Certificate(leaf).checkPrivateKey(key);
  } catch {
    // No certificate that OpenSSL can read.
    return false;
  }
}

function kindOf({ asymmetricKeyType }: KeyObject): Challenge['kind'] | undefined {
  if (asymmetricKeyType === 'rsa') return 'rsa';
  return asymmetricKeyType === 'ec' ? 'ecdsa' : undefined;
}
