import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { isFault } from '../base/faults/fault.js';
import type { FaultCode } from '../base/faults/table.js';
import { encodeMessage } from './encode.js';

// One field of every kind, so that nothing depends on what Envoy's messages happen to have.
const { root } = protobuf.parse(
  `syntax = "proto3";
   package t;
   enum Color { RED = 0; GREEN = 1; NONE = -1; }
   message All {
     double double = 1; float float = 2; int32 int32 = 3; uint32 uint32 = 4; sint32 sint32 = 5; fixed32 fixed32 = 6;
     sfixed32 sfixed32 = 7; int64 int64 = 8; uint64 uint64 = 9; sint64 sint64 = 10; fixed64 fixed64 = 11;
     sfixed64 sfixed64 = 12; bool bool = 13; string string = 14; bytes bytes = 15; Color color = 16; All all = 17;
     repeated int64 longs = 18; repeated string strings = 19; repeated All alls = 20; repeated Color colors = 21;
     repeated bool unpacked = 22 [packed = false];
     map<string, All> by_name = 23; map<sint32, string> by_number = 24; map<bool, bytes> by_truth = 25;
     map<fixed64, Color> by_long = 26;
     oneof choice { string text = 27; uint32 count = 28; All chosen = 29; }
     optional string maybe = 2047; optional Color maybe_color = 2048;
   }`,
  { keepCase: true },
);
root.resolveAll();
const all = root.lookupType('t.All');

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String);
const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const bytes = fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array));
const color = fc.constantFrom('RED', 'GREEN', 'NONE');

const scalarFields = {
  double: fc.double(),
  float: fc.float({ noNaN: true }),
  int32,
  uint32,
  sint32: int32,
  fixed32: uint32,
  sfixed32: int32,
  int64,
  uint64,
  sint64: int64,
  fixed64: uint64,
  sfixed64: int64,
  bool: fc.boolean(),
  string: text,
  bytes,
  color,
  longs: fc.array(int64),
  strings: fc.array(text),
  colors: fc.array(color),
  unpacked: fc.array(fc.boolean()),
  by_number: fc.dictionary(int32.map(String), text),
  text,
  maybe: text,
  maybe_color: color,
};
const scalars = fc.record(scalarFields, { requiredKeys: [] });
const { message } = fc.letrec<{ message: Record<string, unknown> }>((tie) => ({
  message: fc.oneof(
    { maxDepth: 3 },
    scalars,
    fc.record(
      {
        ...scalarFields,
        all: tie('message'),
        alls: fc.array(tie('message'), { maxLength: 2 }),
        by_name: fc.dictionary(text, tie('message'), { maxKeys: 2 }),
      },
      { requiredKeys: [] },
    ),
  ),
}));

const asDecoded: protobuf.IConversionOptions = { longs: String, enums: String, bytes: Buffer };

test('readers understand our bytes as those of another encoder, zeros left out aside', () => {
  const read = (encoded: Uint8Array) => all.toObject(all.decode(encoded), { ...asDecoded, defaults: true });
  fc.assert(
    fc.property(message, (value) => {
      assert.deepEqual(read(encodeMessage(all, value)), read(all.encode(all.fromObject(value)).finish()));
    }),
    { numRuns: 200 },
  );
});

test('the bytes do not depend on the order of fields or map entries, and encoding what was decoded gives them again', () => {
  const turned = (value: unknown): unknown =>
    typeof value !== 'object' || value === null || value instanceof Uint8Array
      ? value
      : Array.isArray(value)
        ? value.map(turned)
        : Object.fromEntries(
            Object.entries(value)
              .map(([k, v]) => [k, turned(v)] as const)
              .reverse(),
          );
  fc.assert(
    fc.property(message, (value) => {
      const encoded = encodeMessage(all, value);
      assert.deepEqual(encodeMessage(all, turned(value)), encoded);
      const read = all.toObject(all.decode(encoded), { ...asDecoded, oneofs: true });
      assert.deepEqual(encodeMessage(all, read), encoded);
    }),
    { numRuns: 200 },
  );
});

function refuses(code: FaultCode, value: unknown, message?: string): void {
  assert.throws(
    () => encodeMessage(all, value),
    (error: Error) => isFault(error, code) && (message === undefined || error.message === message),
  );
}

test('a value of another kind is refused and never shown', () => {
  refuses('WIR0106', { string: 1 }, '`t.All.string` must be a string, and is of type number');
  refuses('WIR0106', { bool: 'false' }, '`t.All.bool` must be true or false, and is of type string');
  refuses('WIR0106', { all: null }, '`t.All.all` must be a t.All message, and is null');
  refuses('WIR0106', { alls: [{}, []] }, '`t.All.alls[1]` must be a t.All message, and is a list');
  for (const value of [1, 'a', null, undefined, [], new Map(), new Date(0), Buffer.alloc(1)])
    refuses('WIR0106', value);
  for (const value of ['AAEC', [1], {}]) refuses('WIR0106', { bytes: value });
  for (const value of ['1', true, 1n, {}, null]) refuses('WIR0106', { int32: value });
  for (const value of [true, 1n, {}, null]) refuses('WIR0106', { int64: value });
  for (const value of ['x', {}, new Set(['x'])]) refuses('WIR0106', { strings: value });
  for (const value of [[], 'x', new Map()]) refuses('WIR0106', { by_name: value });
  refuses('WIR0106', { strings: new Array(1) });
  refuses('WIR0106', { by_name: { a: undefined } });
});

test('a number that its type cannot hold is refused', () => {
  for (const value of [2 ** 31, -(2 ** 31) - 1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    refuses('WIR0107', { int32: value });
  }
  for (const value of [-1, 2 ** 32, 1.5]) refuses('WIR0107', { uint32: value });
  for (const value of [
    '9223372036854775808',
    '-9223372036854775809',
    '1.5',
    '',
    ' 1',
    '0x1',
    '01',
    '-',
    2 ** 53,
    0.5,
  ]) {
    refuses('WIR0107', { int64: value });
  }
  for (const value of ['-1', '18446744073709551616', '1'.repeat(100), -1])
    refuses('WIR0107', { uint64: value });
  refuses('WIR0107', { float: 1e39 }, '`1e+39` in `t.All.float` is not a float');
});

test('a key of a map that its type cannot hold is refused', () => {
  refuses('WIR0107', { by_number: { '1.5': 'a' } });
  refuses('WIR0106', { by_number: { '': 'a' } });
  refuses('WIR0106', { by_number: { one: 'a' } });
  refuses('WIR0106', { by_number: { '0x1': 'a' } });
  refuses('WIR0107', { by_long: { '-1': 'RED' } });
  refuses('WIR0106', { by_truth: { yes: Buffer.alloc(1) } });
});

test('half a surrogate pair is refused in text, and in a key', () => {
  refuses('WIR0110', { string: '\ud800' });
  refuses('WIR0110', { by_name: { '\udc00': {} } });
});

test('the name of an arm must be that of the arm that is set', () => {
  assert.deepEqual(encodeMessage(all, { choice: 'text', text: 'a' }), encodeMessage(all, { text: 'a' }));
  refuses('WIR0105', { choice: 'count', text: 'a' });
  refuses('WIR0105', { choice: 'text' });
  refuses('WIR0104', { text: 'a', count: 0 });
});

test('names that every JavaScript object has are no fields', () => {
  for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
    refuses('WIR0102', JSON.parse(`{ "${name}": {} }`));
  }
  refuses('WIR0103', { color: 'constructor' });
});

test('a message deeper than readers take is refused', () => {
  const nested = (depth: number): object => (depth === 1 ? {} : { all: nested(depth - 1) });
  encodeMessage(all, nested(100));
  refuses('WIR0109', nested(101));
});

test('a zero is written where it differs from an absent field, and only there', () => {
  assert.equal(encodeMessage(all, { int32: 0, string: '', int64: '0', color: 'RED' }).length, 0);
  assert.equal(encodeMessage(all, { double: -0 }).length, 9);
  assert.equal(encodeMessage(all, { count: 0 }).toString('hex'), 'e00100');
  assert.equal(encodeMessage(all, { maybe: '' }).toString('hex'), 'fa7f00');
  assert.equal(encodeMessage(all, { by_number: { 0: '' } }).toString('hex'), 'c2010408001200');
});

test('keys of maps are written as their type, which other encoders get wrong for truth values', () => {
  const one = Buffer.from([1]);
  assert.equal(
    encodeMessage(all, { by_truth: { false: one, true: one } }).toString('hex'),
    'ca01050800120101ca01050801120101',
  );
  assert.equal(
    encodeMessage(all, { by_long: { 258: 'GREEN' } }).toString('hex'),
    'd2010b0902010000000000001001',
  );
});
