import { contextConstructed, contextPrimitive, DerReader, MalformedDer, tags } from '../base/der/reader.js';
import { fault } from '../base/faults/fault.js';
import { keyUsageBits, oids } from './oids.js';

/** What a certificate says (RFC 5280 §4.1). Nothing in it is verified. */
export interface Certificate {
  readonly der: Uint8Array;
  /** The signed part. */
  readonly tbs: Uint8Array;
  /** Dotted object identifier; the same inside and outside of the signed part. */
  readonly signatureAlgorithm: string;
  readonly signature: Uint8Array;
  /** Lower-case hexadecimal without leading zeros. */
  readonly serial: string;
  /** DER names, compared byte by byte. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  /** Milliseconds since the Unix epoch; both ends belong to the window. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
  readonly isCa: boolean;
  readonly pathLength: number | undefined;
  /** Numbers of the bits that are set, or `undefined` without the extension. */
  readonly keyUsage: ReadonlySet<number> | undefined;
  /** Dotted object identifiers, or `undefined` without the extension. */
  readonly extendedKeyUsage: readonly string[] | undefined;
  /** Every URI among the subject alternative names, byte by byte as Latin-1. */
  readonly uris: readonly string[];
  readonly subjectKeyId: Uint8Array | undefined;
  /** Critical extensions and name constraints, which this program does not process: nothing may be verified with them. */
  readonly unprocessed: readonly string[];
}

const maxSerialBytes = 20;

/** Reads one DER certificate, version 3, strictly. Throws IDN0201. */
export function readCertificate(der: Uint8Array): Certificate {
  try {
    return certificateOf(der);
  } catch (error) {
    if (!(error instanceof MalformedDer)) throw error;
    throw fault('IDN0201', { problem: error.message }, { cause: error });
  }
}

/**
 * Whether it may issue certificates: a CA whose key usage, where it has one, includes keyCertSign (RFC 5280 §6.1.4 k and n).
 * Roots of organisations often have none.
 */
export function mayIssue({ isCa, keyUsage }: Certificate): boolean {
  return isCa && (keyUsage === undefined || keyUsage.has(keyUsageBits.keyCertSign));
}

function certificateOf(der: Uint8Array): Certificate {
  const file = new DerReader(der);
  const outer = file.enter(tags.sequence);
  file.end();
  const { whole: tbs, content } = outer.read(tags.sequence);
  const algorithm = outer.read(tags.sequence);
  const signature = outer.wholeBytes();
  outer.end();
  const signatureAlgorithm = new DerReader(algorithm.content).oid();
  return { der, tbs, signatureAlgorithm, signature, ...signedPart(new DerReader(content), algorithm.whole) };
}

function signedPart(tbs: DerReader, outerAlgorithm: Uint8Array) {
  const version = tbs.enter(contextConstructed(0));
  if (version.small() !== 2) throw new MalformedDer('another version than 3');
  version.end();
  const serial = tbs.unsigned();
  if (serial.length > maxSerialBytes) throw new MalformedDer('a serial number of more than 20 bytes');
  const algorithm = tbs.read(tags.sequence).whole;
  if (Buffer.compare(algorithm, outerAlgorithm) !== 0) {
    throw new MalformedDer('two different signature algorithms');
  }
  const issuer = tbs.read(tags.sequence).whole;
  const validity = tbs.enter(tags.sequence);
  const [notBefore, notAfter] = [validity.time(), validity.time()];
  validity.end();
  const subject = tbs.read(tags.sequence).whole;
  const publicKey = tbs.read(tags.sequence).whole;
  const extensions = meaningOf(extensionsOf(tbs));
  tbs.end();
  return { serial: hex(serial), issuer, notBefore, notAfter, subject, publicKey, ...extensions };
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex').replace(/^0/, '') || '0';

interface Extension {
  critical: boolean;
  content: Uint8Array;
}

function extensionsOf(tbs: DerReader): Map<string, Extension> {
  const found = new Map<string, Extension>();
  if (tbs.isAtEnd) return found;
  const wrapper = tbs.enter(contextConstructed(3));
  const list = wrapper.enter(tags.sequence);
  wrapper.end();
  while (!list.isAtEnd) {
    const extension = list.enter(tags.sequence);
    const oid = extension.oid();
    const critical = extension.booleanOrFalse();
    const { content } = extension.read(tags.octetString);
    extension.end();
    if (found.has(oid)) throw new MalformedDer('the same extension twice');
    found.set(oid, { critical, content });
  }
  return found;
}

const processed: ReadonlySet<string> = new Set([
  oids.subjectKeyIdentifier,
  oids.authorityKeyIdentifier,
  oids.keyUsage,
  oids.subjectAltName,
  oids.basicConstraints,
  oids.extendedKeyUsage,
]);

function meaningOf(extensions: Map<string, Extension>) {
  const read = <T>(oid: string, reading: (reader: DerReader) => T): T | undefined => {
    const extension = extensions.get(oid);
    if (!extension) return undefined;
    const reader = new DerReader(extension.content);
    const result = reading(reader);
    reader.end();
    return result;
  };
  const constraints = read(oids.basicConstraints, basicConstraints);
  return {
    isCa: constraints?.isCa ?? false,
    pathLength: constraints?.pathLength,
    keyUsage: read(oids.keyUsage, (reader) => reader.flags()),
    extendedKeyUsage: read(oids.extendedKeyUsage, (reader) => allOf(reader, (list) => list.oid())),
    uris: read(oids.subjectAltName, alternativeNames)?.uris ?? [],
    subjectKeyId: read(oids.subjectKeyIdentifier, (reader) => reader.read(tags.octetString).content),
    unprocessed: [...extensions]
      .filter(([oid, { critical }]) => (critical && !processed.has(oid)) || oid === oids.nameConstraints)
      .map(([oid]) => oid),
  };
}

function basicConstraints(reader: DerReader): { isCa: boolean; pathLength: number | undefined } {
  const members = reader.enter(tags.sequence);
  const isCa = members.booleanOrFalse();
  const pathLength = members.isAtEnd ? undefined : members.small();
  members.end();
  return { isCa, pathLength };
}

function allOf<T>(reader: DerReader, member: (list: DerReader) => T): T[] {
  const list = reader.enter(tags.sequence);
  const members: T[] = [];
  while (!list.isAtEnd) members.push(member(list));
  return members;
}

/** Whichever kind a name is, its tag has one form in DER; in another form other readers might take it for a URI. */
const nameTags: ReadonlySet<number> = new Set([
  ...[1, 2, 6, 7, 8].map(contextPrimitive),
  ...[0, 3, 4, 5].map(contextConstructed),
]);

/** The names of a subject alternative name extension (RFC 5280 §4.2.1.6), byte by byte as Latin-1; other kinds are passed over. */
export function alternativeNames(reader: DerReader): { uris: string[]; dnsNames: string[] } {
  const names = allOf(reader, (list) => list.any());
  if (names.some(({ tag }) => !nameTags.has(tag))) throw new MalformedDer('a name of no known kind');
  const ofKind = (kind: number) =>
    names
      .filter(({ tag }) => tag === contextPrimitive(kind))
      .map(({ content }) => Buffer.from(content).toString('latin1'));
  return { uris: ofKind(6), dnsNames: ofKind(2) };
}
