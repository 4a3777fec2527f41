import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const page = readFileSync(`${root}docs/lessons.md`, 'utf8');

test('every test that docs/lessons.md names is there', () => {
  const named = [...page.matchAll(/\| `([^`]+\.test\.ts)`: (.+?) \|$/gm)];
  assert.ok(named.length > 20, `the page names only ${named.length} tests`);
  const missing = named.filter(
    ([, file, title]) => !readFileSync(`${root}${file}`, 'utf8').includes(title ?? ''),
  );
  assert.deepEqual(
    missing.map(([, file, title]) => `${file}: ${title}`),
    [],
  );
});
