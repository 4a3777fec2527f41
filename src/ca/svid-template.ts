import {
  authorityKeyId,
  basicConstraints,
  distinguishedName,
  extendedKeyUsage,
  keyUsage,
  subjectAltName,
  subjectKeyId,
  toBeSigned,
  validity,
} from '../spiffe/certificate-writer.js';
import type { SpiffeId } from '../spiffe/id.js';
import { keyUsageBits, oids } from '../spiffe/oids.js';
import type { Authority } from './authority.js';
import type { SubjectKey } from './public-key.js';

/** What differs from SVID to SVID of one authority. */
export interface SvidContent {
  /** Big-endian. */
  readonly serial: Uint8Array;
  /** Milliseconds since the Unix epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly key: SubjectKey;
  readonly id: SpiffeId;
  /** ASCII. */
  readonly dnsNames: readonly string[];
}

/**
 * Gives how to write the signed part (TBSCertificate, DER) of SVIDs: what they have in common is written once, and the rest
 * put between. SPIRE's profile (C=US, O=SPIRE, the first DNS name as common name), except that keys of curves get
 * digitalSignature only: the rest of SPIRE's key usage means something for RSA alone.
 */
export function svidTemplate(
  issuer: Pick<Authority, 'subject' | 'keyId'>,
): (svid: SvidContent) => Uint8Array {
  const byAuthority = authorityKeyId(issuer.keyId);
  const validityOf = lastValidity();
  return ({ serial, notBefore, notAfter, key, id, dnsNames }) =>
    toBeSigned({
      serial,
      issuer: issuer.subject,
      subject: subjectOf(dnsNames),
      validity: validityOf(notBefore, notAfter),
      publicKey: key.spki,
      extensions: [
        key.kind === 'RSA' ? rsaExtensions : curveExtensions,
        subjectKeyId(key.keyId),
        byAuthority,
        subjectAltName({ uris: [id], dnsNames }),
      ],
    });
}

const { digitalSignature, keyEncipherment } = keyUsageBits;
const commonExtensions = [extendedKeyUsage([oids.serverAuth, oids.clientAuth]), basicConstraints(false)];
const curveExtensions = Buffer.concat([keyUsage([digitalSignature]), ...commonExtensions]);
const rsaExtensions = Buffer.concat([keyUsage([digitalSignature, keyEncipherment]), ...commonExtensions]);

/** Many SVIDs are written in the same second, for the same time. */
function lastValidity(): (notBefore: number, notAfter: number) => Uint8Array {
  let last: { notBefore: number; notAfter: number; written: Uint8Array } = {
    notBefore: Number.NaN,
    notAfter: Number.NaN,
    written: new Uint8Array(),
  };
  return (notBefore, notAfter) => {
    if (last.notBefore !== notBefore || last.notAfter !== notAfter) {
      last = { notBefore, notAfter, written: validity(notBefore, notAfter) };
    }
    return last.written;
  };
}

/** The upper bound of a common name (RFC 5280, appendix A.1). */
const maxCommonName = 64;

function subjectOf([first]: readonly string[]): Uint8Array {
  if (first === undefined || first.length > maxCommonName) return plainSubject;
  return distinguishedName(...plainAttributes, [oids.commonName, first]);
}

const plainAttributes: [string, string][] = [
  [oids.country, 'US'],
  [oids.organization, 'SPIRE'],
];
const plainSubject = distinguishedName(...plainAttributes);
