import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault } from '../base/faults/fault.js';
import type { FaultCode } from '../base/faults/table.js';
import { encodeMessage } from './encode.js';
import { anyOf, decode, encode, encodeAny, typeUrlOf } from './messages.js';
import { messageType } from './schema.js';

/** The strict encoder as JavaScript would call it, without the compiler in between. */
function encodeUntyped(name: string, value: unknown): Buffer {
  return encodeMessage(messageType(name), value);
}

function refuses(code: FaultCode, text: RegExp, name: string, value: unknown): void {
  assert.throws(
    () => encodeUntyped(name, value),
    (error: Error) => isFault(error, code) && text.test(error.message),
  );
}

const rbac = 'envoy.config.rbac.v3.RBAC';

test('a message comes back as it was encoded', () => {
  const value = {
    action: 'DENY' as const,
    policies: {
      web: { permissions: [{ any: true }], principals: [{ header: { name: ':path', exact_match: '/' } }] },
    },
  };
  const bytes = encode(rbac, value);
  assert.equal(Buffer.isBuffer(bytes), true);
  assert.deepEqual(encodeUntyped(rbac, decode(rbac, bytes)), bytes);
});

test('a misspelt field is refused with its path, the message and the fields there are', () => {
  refuses(
    'WIR0102',
    /^`envoy\.config\.rbac\.v3\.RBAC\.policies\[web\]\.principals\[0\]` has no field `headers`/,
    rbac,
    {
      policies: { web: { permissions: [{ any: true }], principals: [{ headers: {} }] } },
    },
  );
});

test('an unknown enum name is refused, and so is a number in its place', () => {
  refuses('WIR0103', /^`ALOW` in `envoy\.config\.rbac\.v3\.RBAC\.action`/, rbac, { action: 'ALOW' });
  refuses('WIR0103', /toString/, rbac, { action: 'toString' });
  refuses('WIR0106', /RBAC\.action/, rbac, { action: 1 });
});

test('two arms of a oneof are refused', () => {
  refuses('WIR0104', /Permission.*`any` and `url_path`/, 'envoy.config.rbac.v3.Permission', {
    any: true,
    url_path: {},
  });
});

test('an Any is of a type that we know, whether packed or written out', () => {
  const field = 'envoy.config.core.v3.TypedExtensionConfig';
  refuses('WIR0108', /type\.googleapis\.com\/no\.such/, field, {
    name: 'a',
    typed_config: { type_url: 'type.googleapis.com/no.such.Type', value: Buffer.alloc(0) },
  });
  refuses('WIR0108', /elsewhere/, field, { name: 'a', typed_config: { '@type': `elsewhere/${rbac}` } });
  refuses('WIR0106', /typed_config/, field, { name: 'a', typed_config: {} });
  const written = encodeUntyped(field, {
    name: 'a',
    typed_config: { '@type': typeUrlOf(rbac), action: 'LOG' },
  });
  assert.deepEqual(written, encode(field, { name: 'a', typed_config: anyOf(rbac, { action: 'LOG' }) }));
  refuses('WIR0103', /typed_config\(envoy\.config\.rbac\.v3\.RBAC\)\.action/, field, {
    name: 'a',
    typed_config: { '@type': typeUrlOf(rbac), action: 'LOGG' },
  });
});

test('the well-known types have camelCase fields, and snake_case in them is refused', () => {
  refuses('WIR0102', /string_value/, 'google.protobuf.Value', { string_value: 'a' });
  const bytes = encodeUntyped('google.protobuf.Struct', { fields: { a: { stringValue: 'b' } } });
  assert.equal(bytes.toString('hex'), '0a080a016112031a0162');
});

test('map entries are written by key, so that equal maps have equal bytes', () => {
  const policy = { permissions: [{ any: true }], principals: [{ any: true }] };
  assert.deepEqual(
    encode(rbac, { policies: { b: policy, a: policy } }),
    encode(rbac, { policies: { a: policy, b: policy } }),
  );
});

test('encodeAny gives the bytes of an xDS resource', () => {
  const any = decode('google.protobuf.Any', encodeAny(rbac, { action: 'LOG' }));
  assert.equal(any.type_url, 'type.googleapis.com/envoy.config.rbac.v3.RBAC');
  assert.deepEqual(any.value, encode(rbac, { action: 'LOG' }));
});

test('the compiler knows the messages by their names', () => {
  // @ts-expect-error: no message has this name
  assert.throws(() => encode('envoy.config.rbac.v3.RABC', {}));
  // @ts-expect-error: no field has this name
  assert.throws(() => encode(rbac, { polices: {} }));
  // @ts-expect-error: no action has this name
  assert.throws(() => encode(rbac, { action: 'ALOW' }));
});
