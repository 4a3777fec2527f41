import assert from 'node:assert/strict';
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { oneValueMore } from '../../test/support/one-value-more.js';
import * as der from '../base/der/writer.js';
import { isFault } from '../base/faults/fault.js';
import type { FaultCode } from '../base/faults/table.js';
import { oids } from '../spiffe/oids.js';
import { parsePublicKey } from './public-key.js';

const spki = (key: KeyObject): Buffer => key.export({ format: 'der', type: 'spki' });
const ec = (namedCurve: string) => spki(generateKeyPairSync('ec', { namedCurve }).publicKey);
const rsa = (modulusLength: number, publicExponent = 0x10001) =>
  spki(generateKeyPairSync('rsa', { modulusLength, publicExponent }).publicKey);
const p256 = ec('P-256');

/** RSA keys by their numbers, so that large ones need not be searched for. */
function rsaOfBits(bits: number, exponent = Buffer.of(1, 0, 1)): Buffer {
  const modulus = Buffer.alloc(Math.ceil(bits / 8), 0xff);
  modulus[0] = 0xff >> (modulus.length * 8 - bits);
  const algorithm = der.sequence(der.oid(oids.rsaEncryption), der.value(5));
  const numbers = der.sequence(der.unsigned(modulus), der.unsigned(exponent));
  return der.sequence(algorithm, der.wholeBytes(numbers));
}

function refuses(code: FaultCode, key: Uint8Array): void {
  assert.throws(
    () => parsePublicKey(key),
    (error) => isFault(error, code) || assert.fail(`not ${code} but ${error}`),
  );
}

test('S7: P-256, P-384 and RSA with 2048 to 8192 bits are accepted', () => {
  assert.equal(parsePublicKey(p256).kind, 'P-256');
  assert.equal(parsePublicKey(ec('P-384')).kind, 'P-384');
  assert.equal(parsePublicKey(rsa(2048)).kind, 'RSA');
  for (const bits of [2048, 2049, 4096, 8192]) assert.equal(parsePublicKey(rsaOfBits(bits)).kind, 'RSA');
});

test('S7: other curves, other algorithms and RSA of other sizes are refused', () => {
  for (const curve of ['P-521', 'secp256k1', 'P-224', 'brainpoolP256r1']) refuses('CAS0202', ec(curve));
  for (const type of ['ed25519', 'x25519', 'ed448'] as const) {
    // The overloads of generateKeyPairSync want one literal each.
    refuses('CAS0202', spki(generateKeyPairSync(type as 'ed25519').publicKey));
  }
  refuses('CAS0202', spki(generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey));
  for (const bits of [512, 1024, 2047, 8193, 16384]) refuses('CAS0202', rsaOfBits(bits));
});

test('S7: weak RSA exponents are refused', () => {
  refuses('CAS0202', rsa(2048, 3));
  for (const exponent of ['', '01', '03', '010000', 'ffff', '0100000001']) {
    refuses('CAS0202', rsaOfBits(2048, Buffer.from(exponent, 'hex')));
  }
});

test('one key has one encoding: compressed points, explicit curves and trailing bytes are refused', () => {
  const key = createPublicKey({ key: p256, format: 'der', type: 'spki' });
  const { x = '' } = key.export({ format: 'jwk' });
  const compressed = Buffer.concat([Buffer.of(2), Buffer.from(x, 'base64url')]);
  const algorithm = der.sequence(der.oid(oids.ecPublicKey), der.oid(oids.p256));
  refuses('CAS0202', der.sequence(algorithm, der.wholeBytes(compressed)));
  refuses('CAS0201', Buffer.concat([p256, Buffer.of(0)]));
  const explicitCurve = generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' });
  refuses('CAS0201', spki(explicitCurve.publicKey));
});

test('a point has the length of its curve and the form 04, and no value is one too many', () => {
  const algorithm = (curve: string) => der.sequence(der.oid(oids.ecPublicKey), der.oid(curve));
  const point = p256.subarray(-65);
  const hybrid = Buffer.concat([Buffer.of(6), point.subarray(1)]);
  refuses('CAS0202', der.sequence(algorithm(oids.p256), der.wholeBytes(hybrid)));
  refuses('CAS0202', der.sequence(algorithm(oids.p384), der.wholeBytes(point)));
  refuses('CAS0202', der.sequence(algorithm(oids.p256), der.wholeBytes(point.subarray(0, 64))));
  for (const { der: bytes } of oneValueMore(p256)) refuses('CAS0201', bytes);
  for (const { der: bytes } of oneValueMore(rsaOfBits(2048))) refuses('CAS0201', bytes);
  const numbers = der.sequence(der.unsigned(Buffer.alloc(256, 0xff)), der.unsigned(Buffer.of(1, 0, 1)));
  for (const { der: bytes } of [...oneValueMore(numbers), { der: Buffer.concat([numbers, numbers]) }]) {
    refuses(
      'CAS0201',
      der.sequence(der.sequence(der.oid(oids.rsaEncryption), der.value(5)), der.wholeBytes(bytes)),
    );
  }
});

test('the key ID is that of RFC 7093 for the key alone', () => {
  const point = p256.subarray(-65);
  const expected = createHash('sha256').update(point).digest().subarray(0, 20);
  assert.deepEqual(Buffer.from(parsePublicKey(p256).keyId), expected);
});

test('whatever the bytes are, there is a key or a fault', () => {
  const changed = fc.tuple(fc.nat(p256.length - 1), fc.nat(255)).map(([at, byte]) => {
    const bytes = Buffer.from(p256);
    bytes[at] = byte;
    return bytes;
  });
  const property = fc.property(fc.oneof(changed, fc.uint8Array({ maxLength: 120 })), (bytes) => {
    try {
      parsePublicKey(bytes);
    } catch (error) {
      assert.ok(isFault(error), String(error));
    }
  });
  fc.assert(property, { numRuns: 1000 });
});
