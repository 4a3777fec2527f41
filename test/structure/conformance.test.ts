import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** What is promised: lines of the SPIFFE standards (issuing, validating, and the Workload API), and our security properties. */
const items = [
  ...numbered('ID-', 15),
  ...numbered('XS-', 17),
  ...numbered('JS-', 12),
  ...numbered('TB-', 10),
  ...numbered('WA-', 18),
  ...numbered('WE-', 10),
  // The rows of what SPIRE's agent does over SDS, and where ours does better (10 and 12 are the Workload API's).
  ...numbered('SDS-', 32),
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13].map((number) => `SDS+${number}`),
  ...Array.from({ length: 17 }, (_, i) => `S${i + 1}`),
  'S19',
  'S20',
  'S25',
  'S26',
  'S28',
  'S32',
  'S33',
  'S34',
  'S37',
];

test('each conformance item and security property has a test that names it in its title', () => {
  const titles = [...testFiles('src'), ...testFiles('test')].flatMap(titlesIn);
  assert.ok(titles.length > 500, `found only ${titles.length} titles`);
  const named = new Set(titles.flatMap((title) => namesIn(title)));
  assert.deepEqual(
    items.filter((item) => !named.has(item)),
    [],
  );
});

function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => prefix + String(i + 1).padStart(2, '0'));
}

function testFiles(folder: string): string[] {
  return readdirSync(root + folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => `${root}${folder}/${file}`);
}

/** First arguments of `test(…)` and `t.test(…)`, and rows of tables that give a title. */
function titlesIn(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/\btest\(\s*(['"`])((?:(?!\1)[^\\]|\\.)*)\1/gs)].map(([, , title]) => title ?? '');
}

/** `ID-01 to ID-09` names its two ends only. */
function namesIn(title: string): string[] {
  return title.match(/\b(?:ID|XS|JS|TB|WA|WE|SDS)-\d\d\b|\bSDS\+\d{1,2}|\bS\d{1,2}\b/g) ?? [];
}
