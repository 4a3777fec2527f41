import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { commands } from '../../src/cli/commands.js';
import { runProgram } from '../../src/cli/program.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const readme = readFileSync(`${root}README.md`, 'utf8');

test('the README has at most 120 lines', () => {
  assert.ok(readme.trimEnd().split('\n').length <= 120);
});

test('the policy in the README is the one of the examples', () => {
  const [block] = blocks('yaml');
  assert.equal(block, readFileSync(`${root}examples/policy/shop.yaml`, 'utf8'));
  assert.ok((block?.trimEnd().split('\n').length ?? 0) <= 20);
});

test('every plastron command in the README runs as it says', async () => {
  const lines = blocks('')
    .flatMap((block) => block.split('\n'))
    .map((line) => /^plastron ([^#]*)/.exec(line)?.[1]?.trim())
    .filter((line) => line !== undefined && commands.some(({ words }) => line.startsWith(words)));
  assert.ok(lines.length >= 3, lines.join('\n'));
  for (const line of lines) {
    let said = '';
    const sink = { write: (text: string) => (said += text) };
    const code = await runProgram(`${line}`.split(' '), { stdout: sink, stderr: sink, env: {}, cwd: root });
    assert.equal(code, 0, `plastron ${line}\n${said}`);
  }
});

/** The fenced blocks of a language. */
function blocks(language: string): string[] {
  return [...readme.matchAll(/^```(\w*)\n(.*?)^```$/gms)]
    .filter(([, said]) => said === language)
    .map(([, , text]) => text ?? '');
}
