import { constants, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { DerReader, MalformedDer, tags } from '../../../base/der/reader.js';
import { fault } from '../../../base/faults/fault.js';
import { oids } from '../../../spiffe/oids.js';
import type { Challenge, ChallengeAnswer } from './protocol.js';

/** A key by which a node proves itself: RSA with 2048 to 8192 bits, or one of NIST's curves. */
export interface NodeKey {
  readonly kind: Challenge['kind'];
  readonly key: KeyObject;
  /** How long its signatures are. */
  readonly signatureBytes: number;
}

const coordinateBytes: ReadonlyMap<string, number> = new Map([
  [oids.p256, 32],
  [oids.p384, 48],
  [oids.p521, 66],
]);
const minRsaBytes = 256;
const maxRsaBytes = 1024;
const maxExponentBytes = 4;

/**
 * Reads a SubjectPublicKeyInfo. Its size is looked at before OpenSSL sees it, since a huge key costs whoever verifies with it
 * (S13). Throws ATT0302.
 */
export function readNodeKey(spki: Uint8Array): NodeKey {
  const { kind, signatureBytes } = sizeOf(spki);
  try {
    return {
      kind,
      signatureBytes,
      key: createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' }),
    };
  } catch (cause) {
    throw fault('ATT0302', { problem: 'its key cannot be read' }, { cause });
  }
}

/** What both sides of the challenge sign: ECDSA or RSA-PSS over SHA-256 of the server's nonce and the node's. */
export function signNonces(
  { kind, key }: Pick<NodeKey, 'kind' | 'key'>,
  challenge: Uint8Array,
  nonce: Uint8Array,
): Uint8Array {
  return sign('sha256', Buffer.concat([challenge, nonce]), {
    key,
    ...schemes[kind],
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
  });
}

export function isSignedByNode(
  { kind, key }: NodeKey,
  challenge: Uint8Array,
  answer: ChallengeAnswer,
): boolean {
  const signed = Buffer.concat([challenge, answer.nonce]);
  // Go's default salt is as long as fits.
  const how = { key, ...schemes[kind], saltLength: constants.RSA_PSS_SALTLEN_AUTO };
  return verify('sha256', signed, how, answer.signature);
}

const schemes = {
  rsa: { padding: constants.RSA_PKCS1_PSS_PADDING },
  ecdsa: { dsaEncoding: 'ieee-p1363' },
} as const;

function sizeOf(spki: Uint8Array): Pick<NodeKey, 'kind' | 'signatureBytes'> {
  try {
    const members = new DerReader(spki).enter(tags.sequence);
    const algorithm = members.enter(tags.sequence);
    const oid = algorithm.oid();
    if (oid === oids.rsaEncryption) return { kind: 'rsa', signatureBytes: rsaBytes(members.wholeBytes()) };
    const coordinate = oid === oids.ecPublicKey ? coordinateBytes.get(algorithm.oid()) : undefined;
    if (coordinate !== undefined) return { kind: 'ecdsa', signatureBytes: 2 * coordinate };
  } catch (cause) {
    if (!(cause instanceof MalformedDer)) throw cause;
    throw fault('ATT0302', { problem: 'its key cannot be read' }, { cause });
  }
  throw fault('ATT0302', { problem: 'its key is neither RSA nor of the curves P-256, P-384 and P-521' });
}

function rsaBytes(publicKey: Uint8Array): number {
  const members = new DerReader(publicKey).enter(tags.sequence);
  const modulus = members.unsigned();
  if (modulus.length < minRsaBytes || modulus.length > maxRsaBytes) {
    throw fault('ATT0302', { problem: `its RSA key has ${8 * modulus.length} bits, not 2048 to 8192` });
  }
  if (members.unsigned().length > maxExponentBytes) {
    throw fault('ATT0302', { problem: 'its RSA key has a huge exponent' });
  }
  return modulus.length;
}
