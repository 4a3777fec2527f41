import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import { test } from 'node:test';
import { fakeKms } from '../../test/support/fake-kms.js';
import { fault, isFault } from '../base/faults/fault.js';
import { newLocalKey, type SigningKey, signWith } from './signing-key.js';

const data = Buffer.from('what is signed');

function isSignedBy({ publicKey }: SigningKey, signature: Uint8Array): boolean {
  const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
  return verify('sha256', data, key, signature);
}

test('a key signs alike, in this process and elsewhere', async () => {
  for (const key of [newLocalKey(), await fakeKms().generate()]) {
    assert.ok(isSignedBy(key, await signWith(key, data)));
  }
});

test('a key manager that cannot be reached is a fault that says so, and a fault of its own stays', async () => {
  const kms = fakeKms();
  const key = await kms.generate();
  kms.away = new Error('ECONNREFUSED');
  await assert.rejects(signWith(key, data), (error) => isFault(error, 'CAS0106'));
  kms.away = fault('CAS0104', { at: 'never' });
  await assert.rejects(signWith(key, data), (error) => isFault(error, 'CAS0104'));
});

test('a signature that a key manager got wrong is never used', async () => {
  const kms = fakeKms();
  const key = await kms.generate();
  const other = await kms.generate();
  for (const tamper of [
    () => Buffer.alloc(0),
    (whole: Uint8Array) => whole.slice(1),
    () => Buffer.alloc(72),
  ]) {
    kms.tamper = tamper;
    await assert.rejects(signWith(key, data), (error) => isFault(error, 'CAS0106'));
  }
  kms.tamper = (whole) => whole;
  const swapped: SigningKey = { ...key, publicKey: other.publicKey };
  await assert.rejects(signWith(swapped, data), (error) => isFault(error, 'CAS0106'));
});
