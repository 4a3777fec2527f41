import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import type { Cli } from './cli.js';
import { type OutputFormat, output } from './output.js';

function printed(format: OutputFormat, value: unknown): string {
  let text = '';
  const stdout = {
    write: (more: string) => {
      text += more;
    },
  };
  output({ stdout } as unknown as Cli, format, { kind: 'Thing', value }, () => []);
  return text;
}

test('whatever text is in a document, a program reads it back and a terminal gets no control characters', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      'no',
      '2026-11-24T12:00:00Z',
      '\u001b[2J',
      '\u202e',
      '\u{e0001}',
      ' a',
      'a\nb',
      '12',
      'null',
    ),
  );
  fc.assert(
    fc.property(fc.array(text), (value) => {
      const document = { apiVersion: 'plastron/v1', kind: 'Thing', value };
      const json = printed('json', value);
      assert.deepEqual(JSON.parse(json), document);
      const yaml = printed('yaml', value);
      assert.deepEqual(parse(yaml), document);
      for (const shown of [json, yaml]) assert.doesNotMatch(shown, /(?!\n)[\p{C}\p{Zl}\p{Zp}]/u);
    }),
  );
});

test('what older readers of YAML take for a time or a truth value is quoted', () => {
  assert.equal(
    printed('yaml', ['no', '2026-11-24T12:00:00Z']),
    'apiVersion: plastron/v1\nkind: Thing\nvalue:\n  - "no"\n  - "2026-11-24T12:00:00Z"\n',
  );
});
