// Runs the built tests of the named tiers and ends with `N passed, N failed, N skipped`.
//   node scripts/run-tests.mjs unit envoy        whole tiers
//   node scripts/run-tests.mjs unit -- spiffe    only files whose path contains `spiffe`
// A tier that has no test file is an error: an empty list must never look like success.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';

const dist = fileURLToPath(new URL('../dist', import.meta.url));
const tiers = {
  unit: ['src', 'bench', 'test/structure', 'test/scripts', 'test/support'],
  envoy: ['test/envoy'],
  faults: ['test/faults'],
  compose: ['test/compose'],
  interop: ['test/interop'],
};

function testFiles(folder) {
  const path = join(dist, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path, { recursive: true })
    .filter((file) => file.endsWith('.test.js'))
    .map((file) => join(path, file));
}

const separator = process.argv.indexOf('--');
const names = process.argv.slice(2, separator < 0 ? undefined : separator);
const only = separator < 0 ? [] : process.argv.slice(separator + 1);
const files = names
  .flatMap((name) => {
    const folders = tiers[name];
    if (!folders) throw new Error(`no tier is called ${name}; there are ${Object.keys(tiers).join(', ')}`);
    return folders.flatMap(testFiles);
  })
  .filter((file) => only.length === 0 || only.some((part) => file.includes(part)))
  .sort();
if (files.length === 0) {
  console.error(`no test files found for ${names.join(' ')} ${only.join(' ')}: was it built?`);
  process.exit(1);
}

const count = { passed: 0, failed: 0, skipped: 0 };
const skips = [];
const stream = run({ files, concurrency: Number(process.env.TEST_CONCURRENCY ?? 2), timeout: 300_000 });
const isFile = (event) => event.details?.type === 'suite' || files.includes(event.name);
stream.on('test:pass', (event) => {
  // A suite counts by its tests, but one that is left out has none.
  if (event.skip !== undefined) {
    count.skipped++;
    skips.push(`not run: ${event.name}: ${event.skip === true ? 'no reason given' : event.skip}`);
  } else if (!isFile(event)) count.passed++;
});
stream.on('test:fail', (event) => {
  // A file that dies without a failing test of its own is a failure too.
  if (event.details?.type === 'suite') return;
  if (files.includes(event.name) && event.details?.error?.failureType === 'subtestsFailed') return;
  count.failed++;
});
stream.compose(spec).pipe(process.stdout);
stream.once('end', () => {
  setImmediate(() => {
    for (const line of skips) console.log(line);
    console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
    process.exitCode = count.failed > 0 || count.passed === 0 ? 1 : 0;
  });
});
