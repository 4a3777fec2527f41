import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, encode } from '../wire/messages.js';
import type { MessageIn } from '../wire/names.js';
import { wantsPlainContexts } from './node-wishes.js';

const nodeType = 'envoy.config.core.v3.Node';

/** As it comes from the wire. */
function wants(node: MessageIn<typeof nodeType>, byDefault = false): boolean {
  return wantsPlainContexts(decode(nodeType, encode(nodeType, node)), byDefault);
}

const saying = (value: object) => ({ metadata: { fields: { disable_spiffe_cert_validation: value } } });

test('SDS-26: a boolean in the metadata counts, and a text that Go reads as one, both ways; anything else says nothing', () => {
  for (const byDefault of [false, true]) {
    for (const yes of ['1', 't', 'T', 'true', 'TRUE', 'True'])
      assert.equal(wants(saying({ stringValue: yes }), byDefault), true, yes);
    for (const no of ['0', 'f', 'F', 'false', 'FALSE', 'False'])
      assert.equal(wants(saying({ stringValue: no }), byDefault), false, no);
    for (const unread of ['', 'yes', 'tRuE', ' true'])
      assert.equal(wants(saying({ stringValue: unread }), byDefault), byDefault, unread);
    assert.equal(wants(saying({ boolValue: true }), byDefault), true);
    assert.equal(wants(saying({ boolValue: false }), byDefault), false);
    for (const other of [{ numberValue: 1 }, { nullValue: 'NULL_VALUE' }])
      assert.equal(wants(saying(other), byDefault), byDefault);
    assert.equal(wants({}, byDefault), byDefault);
    assert.equal(wantsPlainContexts(undefined, byDefault), byDefault);
  }
});

test('SDS-25: Envoys up to 1.17 have no SPIFFE validator, whatever their metadata say; one without a version has', () => {
  const of = (major_number: number, minor_number: number, more = {}) =>
    wants({ user_agent_build_version: { version: { major_number, minor_number } }, ...more });
  assert.deepEqual([of(1, 16), of(1, 17), of(0, 99)], [true, true, true]);
  assert.deepEqual([of(1, 18), of(1, 40), of(2, 0)], [false, false, false]);
  assert.equal(of(1, 17, saying({ boolValue: false })), true);
  assert.equal(wants({ user_agent_name: 'envoy' }), false);
});
