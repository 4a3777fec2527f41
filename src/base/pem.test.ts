import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { MalformedPem, readPem, toPem, toPemBytes } from './pem.js';

const block = fc.tuple(
  fc.constantFrom('CERTIFICATE', 'PRIVATE KEY', 'X509 CRL'),
  fc.uint8Array({ minLength: 1, maxLength: 300 }),
);

test('blocks come back as they were written, whatever stands between them', () => {
  const between = fc.constantFrom('', '\n', 'Bag Attributes: <none>\n', '# a comment\r\n');
  const property = fc.property(fc.array(block), between, (blocks, text) => {
    const pem = blocks.map(([label, der]) => text + toPem(label, der)).join('');
    assert.deepEqual(
      readPem(pem).map(({ label, der }) => [label, Uint8Array.from(der)]),
      blocks,
    );
  });
  fc.assert(property);
});

test('lines have 64 characters at most, and the text ends with a line break', () => {
  const lines = toPem('CERTIFICATE', new Uint8Array(100)).split('\n');
  assert.ok(lines.every((line) => line.length <= 64));
  assert.equal(lines.at(-1), '');
});

test('a block that is broken is refused and never passed over', () => {
  const good = toPem('CERTIFICATE', Buffer.of(1, 2, 3));
  const broken = [
    good.slice(0, 40),
    good.replace('END', 'BEGIN'),
    good.replace('BEGIN', 'END'),
    good.replace('END CERTIFICATE', 'END X509 CRL'),
    good.replace('AQID', 'AQI'),
    good.replace('AQID', 'AQ*D'),
    good.replace('AQID', ''),
    good.replace('-----BEGIN', '----BEGIN'),
    good.replace('-----BEGIN', ' -----BEGIN'),
    good.replace('BEGIN CERTIFICATE', 'begin certificate'),
    good + good.slice(28),
  ];
  for (const text of broken) assert.throws(() => readPem(text), MalformedPem, text);
});

test('a PEM block as bytes is the same as the text', () => {
  for (let length = 0; length < 200; length++) {
    const der = randomBytes(length);
    assert.equal(toPemBytes('PRIVATE KEY', der).toString('latin1'), toPem('PRIVATE KEY', der));
  }
});
