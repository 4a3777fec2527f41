import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SourceFile } from '../source.js';
import { type Diagnostic, diagnostic } from './diagnostic.js';
import { countDiagnostics, renderDiagnostics } from './render.js';

function at(file: SourceFile, part: string) {
  const start = file.text.indexOf(part);
  return { file, start, end: start + part.length };
}

test('marks stand under what they mean, with tabs, wide characters and line ends of any kind', () => {
  const file = { path: 'p.yaml', text: 'rules:\r\n\t- { name: 名前, to: oders }\r\n' };
  const found = diagnostic('POL0202', { where: 'the rule `名前`', name: 'oders' }, at(file, 'oders'), {
    label: 'no service has this name',
    helps: ['did you mean `orders`?'],
  });
  assert.equal(
    renderDiagnostics([found]),
    `error[POL0202]: the rule \`名前\` names the unknown service \`oders\`
 --> p.yaml:2:20
  |
1 | rules:
2 |     - { name: 名前, to: oders }
  |                         ^^^^^ no service has this name
  |
  = help: did you mean \`orders\`?
  = more: run \`plastron explain POL0202\``,
  );
});

test('what a file says cannot steer the terminal', () => {
  const file = { path: 'p\u001b[2J.yaml', text: 'a: "\u001b]0;x\u0007"\u202e\n' };
  const found = diagnostic('POL0103', { what: '`a\u001b[1m`', expected: 'b', found: 'c' }, at(file, '"'));
  const text = renderDiagnostics([found]);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  assert.doesNotMatch(text.replaceAll('\n', ''), /[\u0000-\u001f\u007f\u202e]/);
  assert.ok(text.includes('p\\u{1b}[2J.yaml:1:4'));
});

test('diagnostics come by file and position, at most fifty, and are counted', () => {
  const file = (path: string) => ({ path, text: 'x'.repeat(100) });
  const [a, b] = [file('a.yaml'), file('b.yaml')];
  const many: Diagnostic[] = [b, a].flatMap((one) =>
    Array.from({ length: 30 }, (_, index) =>
      diagnostic('POL0302', { rule: 'r', until: 'u' }, { file: one, start: 30 - index, end: 31 - index }),
    ),
  );
  const places = [...renderDiagnostics(many).matchAll(/--> (\S+)/g)].map(([, place]) => place);
  assert.equal(places.length, 50);
  assert.equal(places[0], 'a.yaml:1:2');
  assert.equal(places[49], 'b.yaml:1:21');
  assert.ok(renderDiagnostics(many).endsWith('and 10 more'));
  assert.equal(countDiagnostics(many), '60 warnings');
  assert.equal(countDiagnostics([]), '');
});

test('colours are asked for by meaning and change nothing but colours', () => {
  const file = { path: 'p.yaml', text: 'version: 2\n' };
  const found = diagnostic('POL0104', { version: '2' }, at(file, '2'));
  const painted = renderDiagnostics([found], (tone, text) => `<${tone}>${text}</>`);
  assert.ok(painted.startsWith('<bad>error[POL0104]</><strong>: `2` is not a version'));
  assert.equal(painted.replace(/<\/?\w*>/g, ''), renderDiagnostics([found]));
});
