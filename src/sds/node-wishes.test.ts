import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, encode } from '../wire/messages.js';
import { wantsPlainContexts } from './node-wishes.js';

const nodeType = 'envoy.config.core.v3.Node';

/** As it comes from the wire. */
function wants(value: object | undefined): boolean {
  const fields = value && { disable_spiffe_cert_validation: value };
  return wantsPlainContexts(decode(nodeType, encode(nodeType, fields ? { metadata: { fields } } : {})));
}

test('a boolean counts, and a text that Go reads as one; anything else says nothing', () => {
  for (const yes of ['1', 't', 'T', 'true', 'TRUE', 'True'])
    assert.equal(wants({ stringValue: yes }), true, yes);
  for (const no of ['', '0', 'f', 'false', 'yes', 'tRuE', ' true'])
    assert.equal(wants({ stringValue: no }), false, no);
  assert.equal(wants({ boolValue: true }), true);
  assert.equal(wants({ boolValue: false }), false);
  for (const other of [{ numberValue: 1 }, { nullValue: 'NULL_VALUE' }, undefined])
    assert.equal(wants(other), false);
  assert.equal(wantsPlainContexts(undefined), false);
});
