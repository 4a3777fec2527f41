import { createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import { fault, isFault } from '../base/faults/fault.js';

/** The private key of an authority, P-256: in this process, or somewhere that signs for it and never gives it away. */
export type SigningKey = LocalKey | RemoteKey;

export interface LocalKey {
  readonly kind: 'local';
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
  readonly privateKey: KeyObject;
  /** What is kept of it on the disk in its place; without one the key itself is. */
  readonly reference?: string;
}

export interface RemoteKey {
  readonly kind: 'remote';
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
  /** By which its key manager finds it again. */
  readonly reference: string;
  /** ECDSA with SHA-256 over `data`; the signature in DER (RFC 3279 §2.2.3). */
  sign(data: Uint8Array): Promise<Uint8Array>;
}

/** A key that was, and cannot be used by this process. */
export interface MissingKey {
  readonly kind: 'missing';
  readonly reference: string;
}

export function newLocalKey(): LocalKey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { kind: 'local', privateKey, publicKey: publicKey.export({ format: 'der', type: 'spki' }) };
}

/**
 * ECDSA with SHA-256 over `data`; the signature in DER. What a key elsewhere gives is verified before it is used.
 * Throws CAS0106, and only for a key elsewhere.
 */
export async function signWith(key: SigningKey, data: Uint8Array): Promise<Uint8Array> {
  if (key.kind === 'local') return sign('sha256', data, key.privateKey);
  const signature = await askKeyManager(() => key.sign(data));
  if (!isGood(key, data, signature)) throw fault('CAS0106', { problem: 'its signature is wrong' });
  return signature;
}

/** Whatever a key manager throws becomes a fault. Throws CAS0106, or the fault that the key manager threw. */
export async function askKeyManager<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    if (isFault(error)) throw error;
    throw fault('CAS0106', { problem: 'it did not answer' }, { cause: error });
  }
}

function isGood({ publicKey }: RemoteKey, data: Uint8Array, signature: Uint8Array): boolean {
  const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
  return verify('sha256', data, key, signature);
}
