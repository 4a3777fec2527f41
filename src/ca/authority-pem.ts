import { MalformedDer } from '../base/der/reader.js';
import { fault } from '../base/faults/fault.js';
import { MalformedPem, type PemBlock, readPem, toPem } from '../base/pem.js';
import { parseX509Authority } from '../spiffe/bundle-pem.js';
import { readCertificate } from '../spiffe/certificate.js';
import { type TrustDomain, trustDomainId } from '../spiffe/id.js';
import { type Authority, authorityOf } from './authority.js';
import type { AuthoritySet } from './authority-set.js';
import { type JwtSigner, jwtSignerFromDer, jwtSignerToDer } from './jwt-signer.js';
import type { KeyManager } from './key-manager.js';
import { keyFromPem, keyToPem } from './key-pem.js';
import { parsePublicKey } from './public-key.js';

const certificateLabel = 'CERTIFICATE';
const jwtLabel = 'JWT AUTHORITY';

/** Authorities as PEM, each followed by its key: `JWT AUTHORITY` (`jwtSignerToDer`) and CA certificates. **Secret.** */
export function authoritiesToPem({ x509, jwt }: AuthoritySet): string {
  // Certificates last: a file must have one, so one that was cut off is noticed.
  const blocks = [
    ...jwt.map((signer) => toPem(jwtLabel, jwtSignerToDer(signer)) + keyToPem(signer.key)),
    ...x509.map(({ certificate, key }) => toPem(certificateLabel, certificate) + keyToPem(key)),
  ];
  return blocks.join('');
}

/**
 * Reads what `authoritiesToPem` wrote for this trust domain; anything else is refused. A file from before there were JWT
 * authorities has none. Throws CAS0106, CAS0201, CAS0202, CAS0301, IDN0201, IDN0302.
 */
export async function authoritiesFromPem(
  trustDomain: TrustDomain,
  keys: KeyManager,
  pem: string,
): Promise<AuthoritySet> {
  const blocks = blocksOf(pem);
  const x509: Authority[] = [];
  const jwt: JwtSigner[] = [];
  for (let i = 0; i < blocks.length; i += 2) {
    const [first, key] = [blocks[i], blocks[i + 1]];
    if (first?.label === certificateLabel) x509.push(await authorityFrom(trustDomain, keys, first.der, key));
    else if (first?.label === jwtLabel) jwt.push(await jwtSignerFrom(keys, first.der, key));
    else throw unusable('it is not made of authorities that are each followed by their key');
  }
  if (x509.length === 0) throw unusable('there is no certificate in it');
  return { x509, jwt };
}

async function authorityFrom(
  trustDomain: TrustDomain,
  keys: KeyManager,
  certificate: Uint8Array,
  key: PemBlock | undefined,
): Promise<Authority> {
  const { der } = parseX509Authority(certificate);
  const { uris, publicKey } = readCertificate(der);
  if (uris.length !== 1 || uris[0] !== trustDomainId(trustDomain)) {
    throw unusable(`a certificate is not of the trust domain \`${trustDomain}\``);
  }
  checkCurve(publicKey);
  return authorityOf(trustDomain, der, await keyFromPem(key, publicKey, keys));
}

async function jwtSignerFrom(
  keys: KeyManager,
  bytes: Uint8Array,
  key: PemBlock | undefined,
): Promise<JwtSigner> {
  const signer = readJwtSigner(bytes);
  checkCurve(signer.publicKey);
  return { ...signer, key: await keyFromPem(key, signer.publicKey, keys) };
}

function readJwtSigner(bytes: Uint8Array): Omit<JwtSigner, 'key'> {
  try {
    return jwtSignerFromDer(bytes);
  } catch (error) {
    if (!(error instanceof MalformedDer)) throw error;
    throw unusable(`it has ${error.message}`);
  }
}

function checkCurve(publicKey: Uint8Array): void {
  if (parsePublicKey(publicKey).kind !== 'P-256') throw unusable('a key is not of the curve P-256');
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
