import { createPublicKey, KeyObject, sign, verify, webcrypto } from 'node:crypto';
import { contextConstructed, DerReader, MalformedDer, tags } from '../base/der/reader.js';
import * as der from '../base/der/writer.js';
import { fault } from '../base/faults/fault.js';
import { alternativeNames } from '../spiffe/certificate.js';
import { type AlternativeNames, subjectAltName } from '../spiffe/certificate-writer.js';
import { oids, type SignatureAlgorithm, signatureAlgorithms } from '../spiffe/oids.js';
import { parsePublicKey, pointBytes, type SubjectKey } from './public-key.js';

/** What a certificate signing request may say: a key whose owner signed it, and the names it asks for. */
export interface Csr {
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
  /** The same, read. */
  readonly key: SubjectKey;
  /** What was asked for; no reason to issue it. */
  readonly uriSans: readonly string[];
  readonly dnsSans: readonly string[];
}

const maxCsrBytes = 16 * 1024;

/**
 * Reads a certificate signing request (PKCS#10, RFC 2986), strictly: its self-signature must be good and its key must
 * fulfil the key policy. Rejects with CAS0201 to CAS0204.
 */
export async function readCsr(bytes: Uint8Array): Promise<Csr> {
  if (bytes.length > maxCsrBytes) throw fault('CAS0203', { problem: `more than ${maxCsrBytes} bytes` });
  try {
    const file = new DerReader(bytes);
    const outer = file.enter(tags.sequence);
    file.end();
    const info = outer.read(tags.sequence);
    const algorithm = signatureAlgorithms.get(signatureOid(outer));
    const signature = outer.wholeBytes();
    outer.end();
    const { key, names } = infoOf(new DerReader(info.content));
    if (!algorithm || !(await isSignedBy(key, algorithm, info.whole, signature))) throw fault('CAS0204', {});
    return { publicKey: key.spki, key, uriSans: names.uris, dnsSans: names.dnsNames };
  } catch (error) {
    if (!(error instanceof MalformedDer)) throw error;
    throw fault('CAS0203', { problem: error.message }, { cause: error });
  }
}

function signatureOid(outer: DerReader): string {
  const algorithm = outer.enter(tags.sequence);
  const oid = algorithm.oid();
  algorithm.optional(tags.null);
  algorithm.end();
  return oid;
}

function infoOf(info: DerReader): { key: SubjectKey; names: Names } {
  if (info.small() !== 0) throw new MalformedDer('another version than 1');
  info.read(tags.sequence);
  const key = parsePublicKey(info.read(tags.sequence).whole);
  const attributes = info.isAtEnd ? undefined : info.enter(contextConstructed(0));
  info.end();
  return { key, names: attributes ? requestedNames(attributes) : noNames };
}

type Names = ReturnType<typeof alternativeNames>;

const noNames: Names = { uris: [], dnsNames: [] };

/** The names in the extension request (RFC 2985 §5.4.2), if there is one; at most one of everything. */
function requestedNames(attributes: DerReader): Names {
  const found: Names[] = [];
  while (!attributes.isAtEnd) {
    const attribute = attributes.enter(tags.sequence);
    const isRequest = attribute.oid() === oids.extensionRequest;
    const values = attribute.enter(tags.set);
    attribute.end();
    if (!isRequest) continue;
    const extensions = values.enter(tags.sequence);
    values.end();
    while (!extensions.isAtEnd) {
      const extension = extensions.enter(tags.sequence);
      const oid = extension.oid();
      extension.booleanOrFalse();
      const content = new DerReader(extension.read(tags.octetString).content);
      extension.end();
      if (oid !== oids.subjectAltName) continue;
      found.push(alternativeNames(content));
      content.end();
    }
  }
  if (found.length > 1) throw new MalformedDer('the subject alternative names twice');
  return found[0] ?? noNames;
}

async function isSignedBy(
  key: SubjectKey,
  algorithm: SignatureAlgorithm,
  signed: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  if ((key.kind === 'RSA') !== (algorithm.key === 'RSA')) return false;
  try {
    return verify(algorithm.hash, signed, await publicKeyOf(key), signature);
  } catch {
    // OpenSSL does not take the key (a point that is not on its curve) or the signature.
    return false;
  }
}

/**
 * As a point by way of Web Crypto, because with OpenSSL 3.0 the other ways cost up to three times as much: reading DER is slow
 * there, and a JWK is checked by a multiplication that a point of these curves, which have no cofactor, does not need.
 */
async function publicKeyOf({ kind, spki }: SubjectKey): Promise<KeyObject> {
  if (kind === 'RSA') return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  const point = spki.subarray(spki.length - pointBytes[kind]);
  return KeyObject.from(await webcrypto.subtle.importKey('raw', point, ecdsa[kind], false, ['verify']));
}

const ecdsa = {
  'P-256': { name: 'ECDSA', namedCurve: 'P-256' },
  'P-384': { name: 'ECDSA', namedCurve: 'P-384' },
};

/** Makes a certificate signing request for a P-256 key, with `uri` as the one URI name that it asks for, if any, and DNS names. */
export function makeCsr(privateKey: KeyObject, uri?: string, dnsNames: readonly string[] = []): Uint8Array {
  const publicKey = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  const uris = uri === undefined ? [] : [uri];
  const request = uris.length + dnsNames.length === 0 ? [] : [extensionRequest({ uris, dnsNames })];
  const info = der.sequence(der.small(0), der.sequence(), publicKey, der.explicit(0, ...request));
  const algorithm = der.sequence(der.oid(oids.ecdsaWithSha256));
  return der.sequence(info, algorithm, der.wholeBytes(sign('sha256', info, privateKey)));
}

function extensionRequest(names: AlternativeNames): Uint8Array {
  const extensions = der.sequence(subjectAltName(names));
  return der.sequence(der.oid(oids.extensionRequest), der.setOfOne(extensions));
}
