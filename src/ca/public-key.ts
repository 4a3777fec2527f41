import { hash } from 'node:crypto';
import { DerReader, MalformedDer, tags } from '../base/der/reader.js';
import { fault } from '../base/faults/fault.js';
import { oids } from '../spiffe/oids.js';

/** A public key that an SVID may be issued for. Made only by `parsePublicKey`. */
export interface SubjectKey {
  readonly kind: 'P-256' | 'P-384' | 'RSA';
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  /** 160 bits of SHA-256 of the key (RFC 7093 §2, method 1). */
  readonly keyId: Uint8Array;
}

/** How long a point is, written in full. */
export const pointBytes = { 'P-256': 65, 'P-384': 97 } as const;
const curves: ReadonlyMap<string, keyof typeof pointBytes> = new Map([
  [oids.p256, 'P-256'],
  [oids.p384, 'P-384'],
]);
const minRsaBits = 2048;
const maxRsaBits = 8192;

/**
 * Reads a SubjectPublicKeyInfo (RFC 5480, RFC 4055) and holds it to the key policy: P-256, P-384 with an uncompressed
 * point, or RSA with 2048 to 8192 bits and an odd exponent above 65536; these are what Envoy can serve.
 * That a point lies on its curve is for OpenSSL to find when the key is used. Throws CAS0201, CAS0202.
 */
export function parsePublicKey(spki: Uint8Array): SubjectKey {
  try {
    const { algorithm, bits } = partsOf(spki);
    const kind = kindOf(algorithm, bits);
    return { kind, spki, keyId: keyIdOf(bits) };
  } catch (error) {
    if (!(error instanceof MalformedDer)) throw error;
    throw fault('CAS0201', { problem: error.message }, { cause: error });
  }
}

/** What a key is called in a set of keys: the same for the same key, whatever it is used for. */
export function keyName({ keyId }: Pick<SubjectKey, 'keyId'>): string {
  return Buffer.from(keyId).toString('hex');
}

/** The name of a key of any kind, without the key policy. Throws `MalformedDer` for what is no SubjectPublicKeyInfo. */
export function publicKeyName(spki: Uint8Array): string {
  return keyName({ keyId: keyIdOf(partsOf(spki).bits) });
}

function partsOf(spki: Uint8Array): { algorithm: DerReader; bits: Uint8Array } {
  const file = new DerReader(spki);
  const members = file.enter(tags.sequence);
  file.end();
  const algorithm = members.enter(tags.sequence);
  const bits = members.wholeBytes();
  members.end();
  return { algorithm, bits };
}

function keyIdOf(bits: Uint8Array): Uint8Array {
  return hash('sha256', bits, 'buffer').subarray(0, 20);
}

function kindOf(algorithm: DerReader, bits: Uint8Array): SubjectKey['kind'] {
  const oid = algorithm.oid();
  if (oid === oids.ecPublicKey) return curveOf(algorithm, bits);
  if (oid !== oids.rsaEncryption) throw fault('CAS0202', { problem: `its algorithm is ${oid}` });
  algorithm.read(tags.null);
  algorithm.end();
  checkRsa(bits);
  return 'RSA';
}

function curveOf(algorithm: DerReader, point: Uint8Array): 'P-256' | 'P-384' {
  const oid = algorithm.oid();
  algorithm.end();
  const curve = curves.get(oid);
  if (!curve) throw fault('CAS0202', { problem: `its curve is ${oid}` });
  if (point.length !== pointBytes[curve] || point[0] !== 0x04) {
    throw fault('CAS0202', { problem: 'its point is not written in full' });
  }
  return curve;
}

function checkRsa(bits: Uint8Array): void {
  const file = new DerReader(bits);
  const members = file.enter(tags.sequence);
  file.end();
  const modulus = members.unsigned();
  const exponent = members.unsigned();
  members.end();
  const size = bitLength(modulus);
  if (size < minRsaBits || size > maxRsaBits)
    throw fault('CAS0202', { problem: `it is RSA with ${size} bits` });
  const odd = ((exponent.at(-1) ?? 0) & 1) === 1;
  if (!odd || exponent.length < 3 || exponent.length > 4) {
    throw fault('CAS0202', { problem: 'it is RSA with a weak exponent' });
  }
}

function bitLength(bytes: Uint8Array): number {
  const [first = 0] = bytes;
  return bytes.length * 8 - (Math.clz32(first) - 24);
}
