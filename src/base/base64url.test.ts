import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromBase64Url } from './base64url.js';

test('every sequence of bytes has one text, and comes back from it', () => {
  const property = fc.property(fc.uint8Array(), (bytes) => {
    const text = Buffer.from(bytes).toString('base64url');
    assert.deepEqual(fromBase64Url(text), Buffer.from(bytes));
  });
  fc.assert(property);
});

test('no two texts give the same bytes', () => {
  const character = fc.constantFrom(...'AaBb09-_+/= \n.\0é');
  const texts = fc.string({ unit: character, maxLength: 8 });
  const property = fc.property(texts, (text) => {
    const bytes = fromBase64Url(text);
    assert.ok(bytes === undefined || bytes.toString('base64url') === text);
  });
  fc.assert(property, { numRuns: 1000 });
});

test('padding, the other alphabet, white space and bits left over are refused', () => {
  for (const text of ['QQ==', 'QR', 'Q', 'QUJD\n', ' QUJD', '+_8', '-/8', 'QU JD', 'QUJ=', 'QÜ']) {
    assert.equal(fromBase64Url(text), undefined, text);
  }
  assert.deepEqual(fromBase64Url(''), Buffer.alloc(0));
});
