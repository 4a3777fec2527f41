import assert from 'node:assert/strict';
import { test } from 'node:test';
import { columnsOf, visible } from './visible.js';

test('what could move a cursor, hide or reorder text is shown as an escape', () => {
  const cases: [string, string][] = [
    ['plain /v1/orders', 'plain /v1/orders'],
    ['\u001b[31mred', '\\u{1b}[31mred'],
    ['a\r\nb\tc', 'a\\u{d}\\u{a}b\\u{9}c'],
    ['a\u009bm', 'a\\u{9b}m'],
    ['\u202egnp.exe', '\\u{202e}gnp.exe'],
    ['ad\u200bmin', 'ad\\u{200b}min'],
    ['a\u2028b', 'a\\u{2028}b'],
    ['a\ud800b', 'a\\u{d800}b'],
    ['\u{e0041}', '\\u{e0041}'],
    ['größe 名前', 'größe 名前'],
  ];
  for (const [text, shown] of cases) assert.equal(visible(text), shown);
});

test('columns count wide characters twice and combining marks not at all', () => {
  assert.equal(columnsOf('abc'), 3);
  assert.equal(columnsOf('名前'), 4);
  assert.equal(columnsOf('e\u0301'), 1);
  assert.equal(columnsOf(''), 0);
});
