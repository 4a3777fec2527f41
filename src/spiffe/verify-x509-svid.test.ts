import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testCa } from '../../test/support/ca.js';
import { isFault } from '../base/faults/fault.js';
import { verifyX509Svid } from './verify-x509-svid.js';

const web = 'spiffe://shop.example/web';
const ca = testCa('shop.example');

test('a good SVID verifies, directly and through an intermediate', () => {
  assert.equal(verifyX509Svid(ca.svid(web).chain, ca.bundle, Date.now()).id, web);
  const below = ca.intermediate().intermediate().svid(web);
  assert.equal(verifyX509Svid(below.chain, ca.bundle, Date.now()).id, web);
});

test('an SVID of another CA does not verify', () => {
  const other = testCa('shop.example').svid(web);
  assert.throws(
    () => verifyX509Svid(other.chain, ca.bundle, Date.now()),
    (e) => isFault(e, 'IDN0207'),
  );
});
