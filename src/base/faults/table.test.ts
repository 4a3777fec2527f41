import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Fault, fault, isFault } from './fault.js';
import { type FaultCode, faultTable, rowOf } from './table.js';

const page = readFileSync(new URL('../../../../docs/errors.md', import.meta.url), 'utf8');
const sections = new Map(
  page
    .split(/^### /m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf('\n')).trim(), section]),
);
const codes = Object.keys(faultTable) as FaultCode[];

test('every error code has a section in docs/errors.md with its sentence, hint and status', () => {
  for (const code of codes) {
    const section = sections.get(code);
    assert.ok(section, `docs/errors.md has no section for ${code}`);
    const { sentence, hint, status } = rowOf(code);
    assert.ok(section.includes(`\n> ${sentence}\n`), `${code}: the page does not quote \`${sentence}\``);
    assert.ok(
      section.includes(`\n**Way out:** ${hint}\n`),
      `${code}: the page does not give the hint \`${hint}\``,
    );
    assert.ok(
      section.includes(`\n**Status:** ${status}\n`),
      `${code}: the page does not give the status ${status}`,
    );
    const why = section
      .split('\n')
      .filter((line) => /^[A-Z]/.test(line))
      .join(' ');
    assert.ok(why.length >= 40, `${code}: the page does not say why the rule is there`);
  }
});

test('every section of docs/errors.md is an error code that exists', () => {
  for (const code of sections.keys())
    assert.ok(Object.hasOwn(faultTable, code), `no error has the code ${code}`);
});

test('sentences follow the house style', () => {
  for (const code of codes) {
    const { sentence, hint } = rowOf(code);
    for (const text of [sentence, hint]) {
      assert.doesNotMatch(text, /\.$/, `${code}: ends with a full stop`);
      assert.doesNotMatch(text, /\n/, `${code}: has a line break`);
    }
    assert.match(
      sentence,
      /^(?:[a-z`{]|SPIFFE|SVID|X\.509|JWT|Envoy|TLS|CSR|YAML|gRPC|SDS|xDS|RBAC|CEL|PEM|SQL)/,
      `${code}: starts with a capital`,
    );
  }
});

test('no two rooms use the same code', () => {
  assert.equal(new Set(codes).size, codes.length);
  for (const code of codes) assert.match(code, /^[A-Z]{3}\d{4}$/);
});

test('a fault fills its values in and carries status, hint and cause', () => {
  const cause = new Error('cause');
  const made = fault('IDN0104', { bytes: 256 }, { cause });
  assert.ok(made instanceof Fault);
  assert.equal(isFault(made, 'IDN0104'), true);
  assert.equal(isFault(made, 'IDN0101'), false);
  assert.equal(made.message, 'the trust domain is 256 bytes long, more than 255');
  assert.equal(made.status, 'INVALID_ARGUMENT');
  assert.equal(made.cause, cause);
});

test('a value from outside cannot break the line, steer a terminal, hide, or fill the log', () => {
  const { message } = fault('IDN0101', { id: 'a\nb\u001b[31m\u202e\ud800' });
  assert.ok(message.startsWith('`a\\u{a}b\\u{1b}[31m\\u{202e}\\u{d800}` is not'), message);
  assert.ok(fault('IDN0101', { id: 'a'.repeat(1e6) }).message.length < 3000);
});
