import { fault } from '../../../base/faults/fault.js';
import { type Json, MalformedJson, parseJson } from '../../../base/json.js';

/** The name of the method, and the type of its selectors. */
export const x509PopType = 'x509pop';

export const nonceBytes = 32;

/** The most certificates that are looked at, the leaf included, and the most bytes that one may have (S13). */
export const maxCertificates = 10;
const maxCertificateBytes = 16 * 1024;
const maxMessageBytes = 256 * 1024;

/** A challenge for an RSA or an EC key, as SPIRE's plugin writes it in JSON. */
export interface Challenge {
  readonly kind: 'rsa' | 'ecdsa';
  readonly nonce: Uint8Array;
}

/** The signature is that of `node:crypto`: PSS for RSA, `r` and `s` of equal length one after the other for ECDSA. */
export interface ChallengeAnswer {
  readonly nonce: Uint8Array;
  readonly signature: Uint8Array;
}

/** `payload` of an attestation: certificates in DER, the leaf first. */
export function writeEvidence(chain: readonly Uint8Array[]): Uint8Array {
  return Buffer.from(JSON.stringify({ certificates: chain.map(toBase64) }));
}

/** Throws ATT0301; nothing of a certificate has been looked at yet but its size. */
export function readEvidence(payload: Uint8Array): Uint8Array[] {
  const list = memberOf(readMessage(payload), 'certificates');
  if (!Array.isArray(list) || list.length === 0) throw malformed('it has no certificates');
  if (list.length > maxCertificates) throw malformed(`it has more than ${maxCertificates} certificates`);
  return list.map((text: Json) => fromBase64(text, 'a certificate', maxCertificateBytes));
}

export function writeChallenge({ kind, nonce }: Challenge): Uint8Array {
  const body = { nonce: toBase64(nonce) };
  return Buffer.from(
    JSON.stringify({
      rsa_signature: kind === 'rsa' ? body : null,
      ecdsa_signature: kind === 'ecdsa' ? body : null,
    }),
  );
}

/** For the agent: the challenge for its kind of key. Throws ATT0301. */
export function readChallenge(bytes: Uint8Array, kind: Challenge['kind']): Challenge {
  const body = memberOf(readMessage(bytes), `${kind}_signature`);
  return { kind, nonce: readNonce(body) };
}

export function writeAnswer(kind: Challenge['kind'], { nonce, signature }: ChallengeAnswer): Uint8Array {
  const half = signature.length / 2;
  const body =
    kind === 'rsa'
      ? { nonce: toBase64(nonce), signature: toBase64(signature) }
      : {
          nonce: toBase64(nonce),
          r: toBase64(signature.subarray(0, half)),
          s: toBase64(signature.subarray(half)),
        };
  return Buffer.from(JSON.stringify({ [`${kind}_signature`]: body }));
}

/** `signatureBytes`: of the leaf's key; `r` and `s` come as numbers of any length up to half of that. Throws ATT0301. */
export function readAnswer(
  bytes: Uint8Array,
  kind: Challenge['kind'],
  signatureBytes: number,
): ChallengeAnswer {
  const body = memberOf(readMessage(bytes), `${kind}_signature`);
  const nonce = readNonce(body);
  const part = (name: string, most: number) => fromBase64(memberOf(body, name), `\`${name}\``, most);
  if (kind === 'rsa') return { nonce, signature: part('signature', signatureBytes) };
  const half = signatureBytes / 2;
  const padded = (number: Uint8Array) => Buffer.concat([Buffer.alloc(half - number.length), number]);
  return { nonce, signature: Buffer.concat([padded(part('r', half)), padded(part('s', half))]) };
}

function readMessage(bytes: Uint8Array): Json {
  if (bytes.length > maxMessageBytes) throw malformed(`it has more than ${maxMessageBytes} bytes`);
  try {
    return parseJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    if (error instanceof MalformedJson || error instanceof TypeError) throw malformed('it is not JSON');
    throw error;
  }
}

function memberOf(value: Json | undefined, name: string): Json | undefined {
  return value instanceof Map ? value.get(name) : undefined;
}

function readNonce(body: Json | undefined): Uint8Array {
  const nonce = fromBase64(memberOf(body, 'nonce'), 'a nonce', nonceBytes);
  if (nonce.length !== nonceBytes) throw malformed(`a nonce has other than ${nonceBytes} bytes`);
  return nonce;
}

function fromBase64(value: Json | undefined, what: string, maxBytes: number): Buffer {
  if (typeof value !== 'string') throw malformed(`${what} is missing`);
  if (value.length > Math.ceil(maxBytes / 3) * 4) throw malformed(`${what} is too long`);
  const bytes = Buffer.from(value, 'base64');
  if (toBase64(bytes) !== value) throw malformed(`${what} is not base64`);
  if (bytes.length > maxBytes) throw malformed(`${what} is too long`);
  return bytes;
}

const toBase64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

const malformed = (problem: string) => fault('ATT0301', { problem });
