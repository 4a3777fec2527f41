import { createPrivateKey, createPublicKey } from 'node:crypto';
import { fault } from '../base/faults/fault.js';
import { MalformedPem, type PemBlock, readPem, toPem } from '../base/pem.js';
import { parseX509Authority } from '../spiffe/bundle-pem.js';
import { readCertificate } from '../spiffe/certificate.js';
import { type TrustDomain, trustDomainId } from '../spiffe/id.js';
import { type Authority, authorityOf } from './authority.js';
import type { KeyManager } from './key-manager.js';
import { parsePublicKey } from './public-key.js';
import { askKeyManager, type LocalKey } from './signing-key.js';

const referenceLabel = 'KEY REFERENCE';

/**
 * Authorities as PEM, each a CA certificate and then its private key (PKCS#8), or what refers to it where the key manager
 * keeps it elsewhere. **Secret.**
 */
export function authoritiesToPem(authorities: readonly Authority[]): string {
  return authorities
    .map(({ certificate, key }) => toPem('CERTIFICATE', certificate) + keyToPem(key))
    .join('');
}

function keyToPem(key: Authority['key']): string {
  const referring = (reference: string) => toPem(referenceLabel, Buffer.from(reference));
  if (key.kind !== 'local') return referring(key.reference);
  if (key.reference !== undefined) return referring(key.reference);
  return toPem('PRIVATE KEY', key.privateKey.export({ format: 'der', type: 'pkcs8' }));
}

/**
 * Reads what `authoritiesToPem` wrote for this trust domain; anything else is refused. Keys that stand in the text are used
 * whichever the key manager, so that one can follow another and nothing is lost.
 * Throws CAS0301, IDN0201, IDN0302, CAS0106, CAS0201, CAS0202.
 */
export async function authoritiesFromPem(
  trustDomain: TrustDomain,
  keys: KeyManager,
  pem: string,
): Promise<Authority[]> {
  const blocks = blocksOf(pem);
  if (blocks.length === 0) throw unusable('it is empty');
  const authorities: Authority[] = [];
  for (let i = 0; i < blocks.length; i += 2) {
    authorities.push(await authorityFrom(trustDomain, keys, blocks[i], blocks[i + 1]));
  }
  return authorities;
}

async function authorityFrom(
  trustDomain: TrustDomain,
  keys: KeyManager,
  certificate: PemBlock | undefined,
  key: PemBlock | undefined,
): Promise<Authority> {
  if (certificate?.label !== 'CERTIFICATE' || !key) {
    throw unusable('it is not made of certificates that are each followed by their key');
  }
  const { der } = parseX509Authority(certificate.der);
  const { uris, publicKey } = readCertificate(der);
  if (uris.length !== 1 || uris[0] !== trustDomainId(trustDomain)) {
    throw unusable(`a certificate is not of the trust domain \`${trustDomain}\``);
  }
  if (parsePublicKey(publicKey).kind !== 'P-256') throw unusable('a key is not of the curve P-256');
  const found = await keyOf(key, keys);
  if (found.kind !== 'missing' && Buffer.compare(found.publicKey, publicKey) !== 0) {
    throw unusable('a key does not belong to its certificate');
  }
  return authorityOf(trustDomain, der, found);
}

async function keyOf({ label, der }: PemBlock, keys: KeyManager): Promise<Authority['key']> {
  if (label === 'PRIVATE KEY') return localKey(der);
  if (label !== referenceLabel) throw unusable('a certificate is not followed by its key');
  const reference = Buffer.from(der).toString();
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

function blocksOf(pem: string): PemBlock[] {
  try {
    return readPem(pem);
  } catch (error) {
    if (!(error instanceof MalformedPem)) throw error;
    throw unusable(`it has ${error.message}`);
  }
}

const unusable = (problem: string) => fault('CAS0301', { problem });
