import { createPrivateKey, createPublicKey } from 'node:crypto';
import { fault } from '../base/faults/fault.js';
import { type PemBlock, toPem } from '../base/pem.js';
import type { KeyManager } from './key-manager.js';
import { askKeyManager, type LocalKey, type MissingKey, type SigningKey } from './signing-key.js';

const privateLabel = 'PRIVATE KEY';
const referenceLabel = 'KEY REFERENCE';

/** A private key (PKCS#8), or what refers to it where the key manager keeps it elsewhere, as PEM. **Secret.** */
export function keyToPem(key: SigningKey | MissingKey): string {
  const referring = (reference: string) => toPem(referenceLabel, Buffer.from(reference));
  if (key.kind !== 'local') return referring(key.reference);
  if (key.reference !== undefined) return referring(key.reference);
  return toPem(privateLabel, key.privateKey.export({ format: 'der', type: 'pkcs8' }));
}

/**
 * Reads what `keyToPem` wrote for this public key (SubjectPublicKeyInfo, DER). A key that stands in the text is used whichever
 * the key manager, so that one can follow another and nothing is lost. Throws CAS0106, CAS0301.
 */
export async function keyFromPem(
  block: PemBlock | undefined,
  publicKey: Uint8Array,
  keys: KeyManager,
): Promise<SigningKey | MissingKey> {
  const key = await keyOf(block, keys);
  if (key.kind !== 'missing' && Buffer.compare(key.publicKey, publicKey) !== 0) {
    throw unusable('a key does not belong to the authority before it');
  }
  return key;
}

async function keyOf(block: PemBlock | undefined, keys: KeyManager): Promise<SigningKey | MissingKey> {
  if (block?.label === privateLabel) return localKey(block.der);
  if (block?.label !== referenceLabel) throw unusable('an authority is not followed by its key');
  const reference = Buffer.from(block.der).toString();
  return (await askKeyManager(() => keys.find(reference))) ?? { kind: 'missing', reference };
}

function localKey(pkcs8: Uint8Array): LocalKey {
  try {
    const privateKey = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' });
    const publicKey = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
    return { kind: 'local', privateKey, publicKey };
  } catch {
    // Without the cause: what OpenSSL says about a private key belongs in no log.
    throw unusable('a key cannot be read');
  }
}

const unusable = (problem: string) => fault('CAS0301', { problem });
