import * as der from '../base/der/writer.js';
import { oids } from './oids.js';

/** What goes into a certificate of version 3 (RFC 5280 §4.1), parts in DER where they are. */
export interface CertificateContent {
  /** Big-endian, positive. */
  serial: Uint8Array;
  /** DER names. */
  issuer: Uint8Array;
  subject: Uint8Array;
  /** What `validity` gives. */
  validity: Uint8Array;
  /** SubjectPublicKeyInfo, DER. */
  publicKey: Uint8Array;
  /** Whole extensions, DER; several may stand in one part. */
  extensions: readonly Uint8Array[];
}

const ecdsaWithSha256 = der.sequence(der.oid(oids.ecdsaWithSha256));
const version3 = der.explicit(0, der.small(2));

/** The part of a certificate that its issuer signs: by a P-256 key, ECDSA with SHA-256. DER. */
export function toBeSigned(content: CertificateContent): Uint8Array {
  return der.sequence(
    version3,
    der.unsigned(content.serial),
    ecdsaWithSha256,
    content.issuer,
    content.validity,
    content.subject,
    content.publicKey,
    der.explicit(3, der.sequence(...content.extensions)),
  );
}

/** Milliseconds since the Unix epoch; both ends belong to it. */
export const validity = (notBefore: number, notAfter: number): Uint8Array =>
  der.sequence(der.time(notBefore), der.time(notAfter));

/** A whole certificate from what `toBeSigned` gave and the signature over it, both DER. */
export function signedCertificate(tbs: Uint8Array, signature: Uint8Array): Uint8Array {
  return der.sequence(tbs, ecdsaWithSha256, der.wholeBytes(signature));
}

/** A distinguished name with one attribute in each part, in order. */
export function distinguishedName(...attributes: [oid: string, value: string][]): Uint8Array {
  const parts = attributes.map(([oid, text]) => {
    // X.520: country and serial number are PrintableString.
    const printable = oid === oids.country || oid === oids.serialNumber;
    const written = printable ? der.printableString(text) : der.utf8String(text);
    return der.setOfOne(der.sequence(der.oid(oid), written));
  });
  return der.sequence(...parts);
}

export function extension(oid: string, critical: boolean, content: Uint8Array): Uint8Array {
  const flag = critical ? [der.booleanTrue()] : [];
  return der.sequence(der.oid(oid), ...flag, der.octetString(content));
}

export const keyUsage = (bits: readonly number[]): Uint8Array =>
  extension(oids.keyUsage, true, der.flags(bits));

export function basicConstraints(isCa: boolean, pathLength?: number): Uint8Array {
  const members = [
    ...(isCa ? [der.booleanTrue()] : []),
    ...(pathLength === undefined ? [] : [der.small(pathLength)]),
  ];
  return extension(oids.basicConstraints, true, der.sequence(...members));
}

export const extendedKeyUsage = (purposes: readonly string[]): Uint8Array =>
  extension(oids.extendedKeyUsage, false, der.sequence(...purposes.map(der.oid)));

export const subjectKeyId = (keyId: Uint8Array): Uint8Array =>
  extension(oids.subjectKeyIdentifier, false, der.octetString(keyId));

export const authorityKeyId = (keyId: Uint8Array): Uint8Array =>
  extension(oids.authorityKeyIdentifier, false, der.sequence(der.implicit(0, keyId)));

export interface AlternativeNames {
  uris: readonly string[];
  dnsNames: readonly string[];
}

/** `names` are ASCII. Critical where the certificate has no other name (RFC 5280 §4.2.1.6). */
export function subjectAltName(names: AlternativeNames, critical = false): Uint8Array {
  const dns = names.dnsNames.map((name) => der.implicit(2, Buffer.from(name, 'latin1')));
  const uris = names.uris.map((uri) => der.implicit(6, Buffer.from(uri, 'latin1')));
  return extension(oids.subjectAltName, critical, der.sequence(...dns, ...uris));
}
