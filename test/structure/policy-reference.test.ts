import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { renderDiagnostics } from '../../src/base/diagnostics/render.js';
import { checkPolicy } from '../../src/policy/check-policy.js';

const page = readFileSync(new URL('../../../docs/reference/policy.md', import.meta.url), 'utf8');

test('the policies in docs/reference/policy.md are good and their tests pass', () => {
  const blocks = [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text = '']) => text);
  assert.ok(blocks.length > 0);
  for (const text of blocks) {
    const { checked, diagnostics, tests } = checkPolicy([{ name: 'p.yaml', path: 'p.yaml', text }], 0);
    assert.ok(checked, renderDiagnostics(diagnostics));
    assert.equal(tests.length, 3);
  }
});
