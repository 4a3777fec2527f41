import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { fault } from '../base/faults/fault.js';
import { toPem, toPemBytes } from '../base/pem.js';
import { wipeWhenUnused } from '../base/wipe.js';
import { readCertificate } from '../spiffe/certificate.js';
import { claimedSvidId } from '../spiffe/verify-x509-svid.js';
import type { X509Svid } from '../spiffe/x509-svid.js';
import { sealSecret } from './seal-secret.js';
import type { CheckedSecret } from './secret.js';

/**
 * An SVID as a TlsCertificate secret with a name: leaf and intermediates in PEM, the key as PKCS#8 PEM, nothing else.
 * Checked first: the leaf is an X.509-SVID of `svid.id`, each certificate was issued by the next, all are valid at `atMs`,
 * and the key is the leaf's and of a kind that Envoy takes. What an SVID passed is remembered with it.
 * Throws ENV0101 to ENV0105, and IDN faults for what is wrong with the leaf as an SVID.
 */
export function tlsCertificate(name: string, svid: X509Svid, atMs: number): CheckedSecret {
  const known = remembered.get(svid) ?? check(svid);
  remembered.set(svid, known);
  if (!(atMs >= known.from && atMs <= known.until)) {
    const [from, until, at] = [known.from, known.until, atMs].map((ms) => new Date(ms).toISOString());
    throw fault('ENV0104', { id: svid.id, from: String(from), until: String(until), at: String(at) });
  }
  const secret = known.secrets.get(name) ?? sealSecret(name, { tls_certificate: known.certificate });
  if (!known.secrets.has(name)) wipeWhenUnused(secret.any);
  known.secrets.set(name, secret);
  return secret;
}

interface CheckedSvid {
  /** While every certificate of the chain is valid, both ends included; milliseconds since the Unix epoch. */
  readonly from: number;
  readonly until: number;
  readonly certificate: { certificate_chain: DataSource; private_key: DataSource };
  readonly secrets: Map<string, CheckedSecret>;
}

interface DataSource {
  inline_bytes: Buffer;
}

const remembered = new WeakMap<X509Svid, CheckedSvid>();

function check(svid: X509Svid): CheckedSvid {
  const claimed = claimedSvidId(svid.chain);
  if (claimed !== svid.id) throw fault('ENV0101', { id: svid.id, claimed });
  checkKey(svid);
  return {
    ...checkChain(svid),
    certificate: {
      certificate_chain: {
        inline_bytes: Buffer.from(svid.chain.map((der) => toPem('CERTIFICATE', der)).join('')),
      },
      private_key: { inline_bytes: wipeWhenUnused(toPemBytes('PRIVATE KEY', svid.privateKey)) },
    },
    secrets: new Map(),
  };
}

/** Gives the time during which every certificate is valid. */
function checkChain(svid: X509Svid): { from: number; until: number } {
  const chain = svid.chain.map(readCertificate);
  chain.forEach((certificate, index) => {
    const issuer = chain[index + 1];
    if (issuer && (!issuer.isCa || Buffer.compare(certificate.issuer, issuer.subject) !== 0)) {
      throw fault('ENV0102', { id: svid.id, serial: certificate.serial, next: issuer.serial });
    }
  });
  return {
    from: Math.max(...chain.map(({ notBefore }) => notBefore)),
    until: Math.min(...chain.map(({ notAfter }) => notAfter)),
  };
}

function checkKey({ id, chain: [leaf = new Uint8Array()], privateKey }: X509Svid): void {
  let key: KeyObject;
  let certificate: X509Certificate;
  try {
    key = createPrivateKey({ key: Buffer.from(privateKey), format: 'der', type: 'pkcs8' });
    certificate = new X509Certificate(leaf);
  } catch (cause) {
    throw fault(
      'ENV0103',
      { id, problem: 'it is not PKCS#8, or the certificate holds no public key' },
      { cause },
    );
  }
  if (!certificate.checkPrivateKey(key))
    throw fault('ENV0103', { id, problem: 'it belongs to another certificate' });
  if (!isForEnvoy(key)) throw fault('ENV0105', { id });
}

const curves = new Set(['prime256v1', 'secp384r1', 'secp521r1']);
const leastRsaBits = 2048;

function isForEnvoy({ asymmetricKeyType, asymmetricKeyDetails: details = {} }: KeyObject): boolean {
  if (asymmetricKeyType === 'rsa') return (details.modulusLength ?? 0) >= leastRsaBits;
  return asymmetricKeyType === 'ec' && curves.has(details.namedCurve ?? '');
}
