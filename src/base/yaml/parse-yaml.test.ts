import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { finding } from '../../../test/support/policy.js';
import type { Diagnostic } from '../diagnostics/diagnostic.js';
import { parseYaml } from './parse-yaml.js';
import type { Tree } from './tree.js';

function parse(text: string): { tree: Tree | undefined; found: string[]; diagnostics: Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const tree = parseYaml({ path: 'p.yaml', text }, (found) => diagnostics.push(found));
  return { tree, found: diagnostics.map(finding), diagnostics };
}

test('whatever could make YAML mean something else than it seems is refused, and says where', () => {
  const cases: [string, ...string[]][] = [
    ['a: 1\na: 2\n', 'POL0002 p.yaml:2 "a"'],
    ['a: &x 1\n', 'POL0003 p.yaml:1 "1"'],
    ['a: *x\n', 'POL0003 p.yaml:1 "*x"'],
    ['from: *\n', 'POL0003 p.yaml:1 "*"'],
    ['from: [*, a]\n', 'POL0003 p.yaml:1 "*"'],
    ['a: { <<: { b: 1 } }\n', 'POL0003 p.yaml:1 "<<"'],
    ['a: !!str 1\n', 'POL0004 p.yaml:1 "1"'],
    ['a: !Ref x\n', 'POL0004 p.yaml:1 "x"'],
    ['a: !<tag:yaml.org,2002:map> { b: 1 }\n', 'POL0004 p.yaml:1 "{ b: 1 }"'],
    ['__proto__: 1\n', 'POL0005 p.yaml:1 "__proto__"'],
    ['1: a\n', 'POL0005 p.yaml:1 "1"'],
    ['true: a\n', 'POL0005 p.yaml:1 "true"'],
    ['? [a, b]\n: c\n', 'POL0005 p.yaml:1 "[a, b]"'],
    ['%YAML 1.1\n---\na: yes\n', 'POL0006 p.yaml:1 "%"'],
    ['%TAG ! tag:example.com,2000:\n---\na: 1\n', 'POL0006 p.yaml:1 "%"'],
    ['a: 1\n---\nb: 2\n', 'POL0007 p.yaml:3 "b: 2\\n"'],
    ['', 'POL0008 p.yaml:1 ""'],
    ['# nothing\n', 'POL0008 p.yaml:1 "#"'],
    ['---\n', 'POL0008 p.yaml:1 "-"'],
    ['a: b\u202e\n', 'POL0010 p.yaml:1 "\u202e"'],
    ['# \u200b\na: 1\n', 'POL0010 p.yaml:1 "\u200b"'],
    ['a: "x\n', 'POL0001 p.yaml:2 ""'],
    ['a: b: c\n', 'POL0001 p.yaml:1 "b"'],
    ['a:\n\t- x\n', 'POL0001 p.yaml:2 "\\t"'],
    ['a: @x\n', 'POL0001 p.yaml:1 "@"'],
    [`a: ${'['.repeat(40)}${']'.repeat(40)}\n`, 'POL0009 p.yaml:1 "[[[[[[[[]]]]]]]]"'],
  ];
  for (const [text, ...expected] of cases) {
    const { tree, found } = parse(text);
    assert.deepEqual(found, expected, text);
    assert.equal(tree, undefined, text);
  }
});

test('a file that is too large, or nests until the parser gives up, is refused', () => {
  assert.deepEqual(parse('a'.repeat((1 << 20) + 1)).found, ['POL0009 p.yaml:1 "a"']);
  assert.deepEqual(
    parse(`a: ${'['.repeat(200_000)}`).found.map((text) => text.slice(0, 7)),
    ['POL0009'],
  );
});

test('values are those of YAML 1.2: no, on and 0777 are texts or numbers as they stand', () => {
  const { tree } = parse('\ufeffa: [no, on, yes, 0x10, 0o17, 1_000, ~, 2027-01-01, "1", true]\nb:\n');
  assert.ok(tree?.kind === 'map');
  const [a, b] = tree.entries.map(({ value }) => value);
  assert.ok(a?.kind === 'list' && b?.kind === 'scalar');
  assert.deepEqual(
    a.items.map((item) => item.kind === 'scalar' && item.value),
    ['no', 'on', 'yes', 16, 15, '1_000', null, '2027-01-01', '1', true],
  );
  assert.equal(b.value, null);
});

test('no text makes the reader throw, and what is refused has no tree', () => {
  const yamlish = fc.array(
    fc.constantFrom(
      'a',
      ': ',
      '- ',
      '\n',
      '  ',
      '[',
      ']',
      '{',
      '}',
      '&a ',
      '*a',
      '!t ',
      '"',
      "'",
      '|',
      '>',
      '#',
      '%',
      '---',
      '? ',
      ',',
      '<<',
      '\t',
    ),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        yamlish.map((parts) => parts.join('')),
      ),
      (text) => {
        const { tree, found, diagnostics } = parse(text);
        assert.equal(tree === undefined, found.length > 0);
        for (const { at } of diagnostics) assert.ok(at.start >= 0 && at.start < at.end);
      },
    ),
    { numRuns: 1000 },
  );
});
