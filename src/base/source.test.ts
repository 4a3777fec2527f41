import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { lineAndColumn, lineOf } from './source.js';

const text = fc.string({
  unit: fc.constantFrom('a', '\u00e9', '\ud83d\ude00', '\n', '\r', '\r\n'),
  maxLength: 40,
});

test('lines and columns are those that counting line breaks from the start gives', () => {
  fc.assert(
    fc.property(text, fc.nat(100), (all, offset) => {
      const before = all.slice(0, offset);
      assert.deepEqual(lineAndColumn({ path: 'a.yaml', text: all }, offset), {
        line: before.split('\n').length,
        column: offset - before.lastIndexOf('\n'),
      });
    }),
  );
});

test('lines are those that splitting at line breaks gives, and there are no others', () => {
  fc.assert(
    fc.property(text, (all) => {
      const file = { path: 'a.yaml', text: all };
      const lines = all.split(/\r?\n/);
      assert.deepEqual(
        lines.map((_, index) => lineOf(file, index + 1)),
        lines,
      );
      assert.deepEqual([lineOf(file, 0), lineOf(file, lines.length + 1)], [undefined, undefined]);
    }),
  );
});
