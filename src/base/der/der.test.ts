import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DerReader, MalformedDer, tags } from './reader.js';
import * as der from './writer.js';

/** Reads one value with nothing after it. */
function whole<T>(bytes: Uint8Array, reading: (reader: DerReader) => T): T {
  const reader = new DerReader(bytes);
  const result = reading(reader);
  reader.end();
  return result;
}

function refuses(reading: (reader: DerReader) => unknown, ...hex: string[]): void {
  for (const bytes of hex) {
    assert.throws(() => whole(Buffer.from(bytes, 'hex'), reading), MalformedDer, bytes);
  }
}

const withoutLeadingZeros = (bytes: Uint8Array) => {
  const first = bytes.findIndex((byte) => byte !== 0);
  return first < 0 ? new Uint8Array() : bytes.slice(first);
};

test('what the writer writes, the reader reads: values of every length', () => {
  for (const length of [0, 1, 127, 128, 255, 256, 65_535, 65_536, 100_000]) {
    const content = Buffer.alloc(length, 7);
    assert.deepEqual(
      Buffer.from(whole(der.octetString(content), (reader) => reader.read(4).content)),
      content,
    );
  }
});

test('what the writer writes, the reader reads: integers', () => {
  const property = fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
    const read = whole(der.unsigned(bytes), (reader) => reader.unsigned());
    assert.deepEqual(Uint8Array.from(read), withoutLeadingZeros(bytes));
  });
  fc.assert(property);
  for (const number of [0, 1, 127])
    assert.equal(
      whole(der.small(number), (reader) => reader.small()),
      number,
    );
});

test('what the writer writes, the reader reads: object identifiers', () => {
  const arc = fc.nat(0xffffffff);
  const top = fc.oneof(fc.tuple(fc.nat(1), fc.nat(39)), fc.tuple(fc.constant(2), fc.nat(1000)));
  const property = fc.property(top, fc.array(arc, { maxLength: 8 }), ([first, second], others) => {
    const dotted = [first, second, ...others].join('.');
    assert.equal(
      whole(der.oid(dotted), (reader) => reader.oid()),
      dotted,
    );
  });
  fc.assert(property);
  assert.equal(der.oid('1.2.840.113549.1.1.11').toString('hex'), '06092a864886f70d01010b');
});

test('what the writer writes, the reader reads: flags', () => {
  const property = fc.property(fc.uniqueArray(fc.nat(20)), (bits) => {
    const read = whole(der.flags(bits), (reader) => reader.flags());
    assert.deepEqual(
      [...read],
      bits.toSorted((a, b) => a - b),
    );
  });
  fc.assert(property);
});

test('what the writer writes, the reader reads: times, to the second', () => {
  const ms = fc.integer({ min: Date.UTC(1900, 0, 1), max: Date.UTC(9999, 11, 31) });
  const property = fc.property(ms, (value) => {
    const read = whole(der.time(value), (reader) => reader.time());
    assert.equal(read, Math.floor(value / 1000) * 1000);
  });
  fc.assert(property);
  assert.equal(der.time(Date.UTC(2049, 11, 31))[0], tags.utcTime);
  assert.equal(der.time(Date.UTC(2050, 0, 1))[0], tags.generalizedTime);
});

test('lengths are definite, minimal and within the bytes that are there', () => {
  const any = (reader: DerReader) => reader.any();
  refuses(
    any,
    '',
    '04',
    '0401',
    '04020a',
    '0480',
    '048101',
    '04817f00',
    '0482007f',
    '0482',
    '0485000000000100',
  );
  refuses(any, '04ffffffffff', '0484ffffffff', '04847fffffff00', '0483000080');
});

test('tags of several bytes, other tags and bytes left over are refused', () => {
  refuses((reader) => reader.any(), '1f0100', 'bf8101', '040000');
  refuses((reader) => reader.read(tags.sequence), '0400', '3100');
  refuses((reader) => reader.enter(tags.sequence).end(), '30020500');
});

test('integers are minimal and not negative', () => {
  refuses((reader) => reader.unsigned(), '0200', '020180', '02020001', '0203008000ff', '0202ff00', '04017f');
  refuses((reader) => reader.small(), '0203010000', '0201ff');
  assert.equal(
    whole(Buffer.from('020300ffff', 'hex'), (reader) => reader.small()),
    65_535,
  );
});

test('booleans are 00 or FF, and may be left out', () => {
  refuses((reader) => reader.booleanOrFalse(), '010101', '0100', '0102ffff');
  assert.equal(
    whole(Buffer.of(1, 1, 0xff), (reader) => reader.booleanOrFalse()),
    true,
  );
  assert.equal(
    whole(Buffer.alloc(0), (reader) => reader.booleanOrFalse()),
    false,
  );
});

test('the unused bits of a bit string are counted and clear', () => {
  refuses((reader) => reader.flags(), '0300', '030108', '030101', '030201ff', '0302080f');
  refuses((reader) => reader.wholeBytes(), '0300', '03020180');
});

test('object identifiers are minimal and complete', () => {
  refuses(
    (reader) => reader.oid(),
    '0600',
    '060180',
    '0602802a',
    '06022a80',
    '06052affffffff',
    '06072a90808080808000',
  );
});

test('times exist, have seconds and end with Z', () => {
  const utc = (text: string) => der.value(tags.utcTime, Buffer.from(text)).toString('hex');
  const long = (text: string) => der.value(tags.generalizedTime, Buffer.from(text)).toString('hex');
  const time = (reader: DerReader) => reader.time();
  refuses(time, utc('2601010000Z'), utc('260101000000'), utc('260101000000+0000'), utc('20260101000000Z'));
  refuses(time, utc('261301000000Z'), utc('260229000000Z'), utc('260101240000Z'), utc('260101006000Z'));
  refuses(time, utc('260101000060Z'), utc('260100000000Z'), utc('26010100000 Z'), utc('260101000000Z\n'));
  refuses(time, long('260101000000Z'), long('20260101000000.5Z'), long('20260101000000'), '0400');
  assert.equal(whole(Buffer.from(utc('500101000000Z'), 'hex'), time), Date.UTC(1950, 0, 1));
  assert.equal(whole(Buffer.from(long('20240229235959Z'), 'hex'), time), Date.UTC(2024, 1, 29, 23, 59, 59));
});

test('whatever the bytes are, reading ends with a value or MalformedDer', () => {
  const readings: ((reader: DerReader) => unknown)[] = [
    (reader) => reader.any(),
    (reader) => reader.unsigned(),
    (reader) => reader.small(),
    (reader) => reader.booleanOrFalse(),
    (reader) => reader.wholeBytes(),
    (reader) => reader.flags(),
    (reader) => reader.oid(),
    (reader) => reader.time(),
  ];
  const tagged = fc
    .tuple(fc.constantFrom(...Object.values(tags)), fc.uint8Array({ maxLength: 20 }))
    .map(([tag, content]) => der.value(tag, content));
  const property = fc.property(
    fc.constantFrom(...readings),
    fc.oneof(tagged, fc.uint8Array()),
    (reading, bytes) => {
      try {
        reading(new DerReader(bytes));
      } catch (error) {
        assert.ok(error instanceof MalformedDer, String(error));
      }
    },
  );
  fc.assert(property, { numRuns: 2000 });
});
