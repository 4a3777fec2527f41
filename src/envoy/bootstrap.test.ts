import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import { isFault } from '../base/faults/fault.js';
import type { FaultCode } from '../base/faults/table.js';
import { renderBootstrap } from './bootstrap.js';

const file = (text: string) => ({ path: 'envoy.yaml', text });
const template = file("a: { path: '{{SOCKET}}', port: '{{PORT}}' } # '{{PORT}}'\nb: '{{SOCKET}}'\n");

test('every place of a variable gets its value, and nothing else changes', () => {
  const values = new Map(Object.entries({ SOCKET: '/run/a b.sock', PORT: '8443' }));
  assert.equal(
    renderBootstrap(template, values),
    "a: { path: '/run/a b.sock', port: '8443' } # '8443'\nb: '/run/a b.sock'\n",
  );
});

test('whatever a value is, it stays the one scalar it was put into', () => {
  const line = fc
    .string({ unit: 'binary', minLength: 1 })
    .filter((value) => !/[\p{C}\p{Zl}\p{Zp}]/u.test(value));
  const hostile = fc.constantFrom("' }, admin: { '", '"', '# x', '{{PORT}}', '$&', '%2f', '- *a', ': ', "''");
  fc.assert(
    fc.property(fc.oneof(line, hostile), (value) => {
      const rendered = renderBootstrap(
        template,
        new Map([
          ['SOCKET', value],
          ['PORT', '1'],
        ]),
      );
      assert.deepEqual(parse(rendered), { a: { path: value, port: '1' }, b: value });
    }),
  );
});

const refused: [FaultCode, string, string, Record<string, string>][] = [
  ['ENV0501', 'a variable without a value', "a: '{{ONE}}'\nb: '{{TWO}}'", { ONE: '1' }],
  ['ENV0502', 'a value without a variable', "a: '{{ONE}}'", { ONE: '1', ON: '1' }],
  ['ENV0503', 'a line break', "a: '{{ONE}}'", { ONE: '1\nadmin: {}' }],
  ['ENV0503', 'a control character', "a: '{{ONE}}'", { ONE: '1\u0000' }],
  ['ENV0503', 'a character that reorders the line', "a: '{{ONE}}'", { ONE: 'a\u202eb' }],
  ['ENV0503', 'an empty value', "a: '{{ONE}}'", { ONE: '' }],
  ['ENV0504', 'a placeholder without quotes', 'a: {{ONE}}', {}],
  ['ENV0504', 'a placeholder inside a longer text', "a: 'x{{ONE}}'", {}],
  ['ENV0504', 'a placeholder in double quotes', 'a: "{{ONE}}"', {}],
  ['ENV0504', 'a name in lower case', "a: '{{one}}'", {}],
];

for (const [code, what, text, values] of refused) {
  test(`a bootstrap is refused for ${what} (${code})`, () => {
    assert.throws(
      () => renderBootstrap(file(text), new Map(Object.entries(values))),
      (error) => isFault(error, code),
    );
  });
}

test('the refusal says where', () => {
  assert.throws(() => renderBootstrap(file("a: '{{ONE}}'\nb: {{TWO}}"), new Map([['ONE', '1']])), {
    message: 'the bootstrap has a placeholder that is not written as one (envoy.yaml:2:4)',
  });
});
