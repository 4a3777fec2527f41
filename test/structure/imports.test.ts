import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));

interface Report {
  summary: { totalCruised: number; violations: { rule: { name: string }; from: string; to: string }[] };
}

function cruise(...paths: string[]): Report {
  const bin = 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs';
  const args = [bin, '--config', '.dependency-cruiser.mjs', '--output-type', 'json', ...paths];
  const { stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  assert.notEqual(stdout, '', stderr);
  return JSON.parse(stdout) as Report;
}

test('rooms import lower rows only, pure rooms do no I/O, and there are no cycles', () => {
  const { summary } = cruise('src');
  assert.ok(summary.totalCruised > 20, `dependency-cruiser saw only ${summary.totalCruised} modules`);
  const found = summary.violations.map((v) => `${v.rule.name}: ${v.from} -> ${v.to}`);
  assert.deepEqual(found, []);
});

test('planted imports are caught: in the wrong direction, of I/O in a pure room, in a cycle, past a check', (t) => {
  // The rules speak of src/, so the planted files must lie there; they are gone again before anything builds them.
  const folder = `${root}src/base/planted-by-a-test`;
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    `${folder}/a.ts`,
    `import type { SpiffeId } from '../../spiffe/id.js';\nimport { readFileSync } from 'node:fs';\nimport { b } from './b.js';\nimport type { sealSecret } from '../../envoy/seal-secret.js';\nexport const a = [readFileSync, b] as unknown as SpiffeId;\n`,
  );
  writeFileSync(`${folder}/b.ts`, `import { a } from './a.js';\nexport const b = a;\n`);
  const names = new Set(
    cruise('src/base/planted-by-a-test').summary.violations.map((violation) => violation.rule.name),
  );
  assert.ok(names.has('base-imports-lower-rows-only'), [...names].join());
  assert.ok(names.has('pure-rooms-do-no-io'), [...names].join());
  assert.ok(names.has('no-cycles'), [...names].join());
  assert.ok(names.has('only-checks-seal-secrets'), [...names].join());
});
