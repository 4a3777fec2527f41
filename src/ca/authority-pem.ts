import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { fault } from '../base/faults/fault.js';
import { MalformedPem, type PemBlock, readPem, toPem } from '../base/pem.js';
import { parseX509Authority } from '../spiffe/bundle-pem.js';
import { readCertificate } from '../spiffe/certificate.js';
import { type TrustDomain, trustDomainId } from '../spiffe/id.js';
import { type Authority, authorityOf } from './authority.js';
import { parsePublicKey } from './public-key.js';

/** Authorities as PEM, each a CA certificate and then its private key (PKCS#8). **Secret.** */
export function authoritiesToPem(authorities: readonly Authority[]): string {
  return authorities
    .map(({ certificate, privateKey }) => {
      const pkcs8 = privateKey.export({ format: 'der', type: 'pkcs8' });
      return toPem('CERTIFICATE', certificate) + toPem('PRIVATE KEY', pkcs8);
    })
    .join('');
}

/**
 * Reads what `authoritiesToPem` wrote for this trust domain; anything else is refused.
 * Throws CAS0301, IDN0201, IDN0302, CAS0201, CAS0202.
 */
export function authoritiesFromPem(trustDomain: TrustDomain, pem: string): Authority[] {
  const blocks = blocksOf(pem);
  if (blocks.length === 0) throw unusable('it is empty');
  const authorities: Authority[] = [];
  for (let i = 0; i < blocks.length; i += 2) {
    authorities.push(authorityFrom(trustDomain, blocks[i], blocks[i + 1]));
  }
  return authorities;
}

function authorityFrom(
  trustDomain: TrustDomain,
  certificate: PemBlock | undefined,
  key: PemBlock | undefined,
): Authority {
  if (certificate?.label !== 'CERTIFICATE' || key?.label !== 'PRIVATE KEY') {
    throw unusable('it is not made of certificates that are each followed by their key');
  }
  const { der } = parseX509Authority(certificate.der);
  const { uris, publicKey } = readCertificate(der);
  if (uris.length !== 1 || uris[0] !== trustDomainId(trustDomain)) {
    throw unusable(`a certificate is not of the trust domain \`${trustDomain}\``);
  }
  if (parsePublicKey(publicKey).kind !== 'P-256') throw unusable('a key is not of the curve P-256');
  return authorityOf(trustDomain, der, privateKeyOf(key.der, publicKey));
}

function privateKeyOf(pkcs8: Uint8Array, publicKey: Uint8Array): KeyObject {
  const key = imported(pkcs8);
  const own = createPublicKey(key).export({ format: 'der', type: 'spki' });
  if (!own.equals(publicKey)) throw unusable('a key does not belong to its certificate');
  return key;
}

function imported(pkcs8: Uint8Array): KeyObject {
  try {
    return createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' });
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
