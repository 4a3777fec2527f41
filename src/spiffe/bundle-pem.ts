import { sha256Hex } from '../base/digest.js';
import { fault } from '../base/faults/fault.js';
import { MalformedPem, readPem, toPem } from '../base/pem.js';
import type { Bundle, X509Authority } from './bundle.js';
import { mayIssue, readCertificate } from './certificate.js';
import type { TrustDomain } from './id.js';

/**
 * The X.509 authorities of a bundle in canonical PEM: each once, in the order of their bytes, so that equal sets give equal
 * texts. Empty for a bundle without authorities.
 */
export function bundleToPem(bundle: Bundle): string {
  const sorted = bundle.x509Authorities.map(({ der }) => der).sort(Buffer.compare);
  return [...new Set(sorted.map((der) => toPem('CERTIFICATE', der)))].join('');
}

/** SHA-256 of the canonical PEM in lower-case hexadecimal: what `sha256sum bundle.pem` prints. */
export function bundleSha256(bundle: Bundle): string {
  return sha256Hex(bundleToPem(bundle));
}

/** Reads a PEM file of CA certificates, at least one and nothing else. Throws IDN0201, IDN0301, IDN0302. */
export function bundleFromPem(trustDomain: TrustDomain, pem: string): Bundle {
  const blocks = blocksOf(pem);
  if (blocks.length === 0) throw fault('IDN0301', { problem: 'there is no certificate in it' });
  const x509Authorities = blocks.map(({ label, der }) => {
    if (label !== 'CERTIFICATE') throw fault('IDN0301', { problem: `it has a block \`${label}\`` });
    return parseX509Authority(der);
  });
  return { trustDomain, x509Authorities, jwtAuthorities: [], sequence: 0n, refreshHint: 0 };
}

/** Takes one DER certificate into a bundle: it must be a CA that may sign certificates. Throws IDN0201, IDN0302. */
export function parseX509Authority(der: Uint8Array, tainted = false): X509Authority {
  const certificate = readCertificate(der);
  if (!mayIssue(certificate)) throw fault('IDN0302', { serial: certificate.serial });
  return { der, tainted };
}

function blocksOf(pem: string) {
  try {
    return readPem(pem);
  } catch (error) {
    if (!(error instanceof MalformedPem)) throw error;
    throw fault('IDN0301', { problem: `it has ${error.message}` }, { cause: error });
  }
}
