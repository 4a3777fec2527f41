import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonReport, tableReport } from './print.js';

const ours = { a_per_s: 3000, b_ms: 1.23456, only_ours_mb: 70 };

test('the JSON has ours, the peer under its name, and the ratio of what both have', () => {
  const { machine, ...rest } = jsonReport('x', 5, { ours, peers: { spire: { a_per_s: 2000, b_ms: 4 } } });
  assert.deepEqual(rest, {
    name: 'x',
    rounds: 5,
    ours: { a_per_s: 3000, b_ms: 1.235, only_ours_mb: 70 },
    spire: { a_per_s: 2000, b_ms: 4 },
    ratios: { a_per_s: 1.5, b_ms: 0.309 },
  });
  assert.deepEqual(Object.keys(machine as object), ['cores', 'cpu', 'node', 'envoy']);
});

test('a peer that is missing is null with a reason, and nothing is made up', () => {
  const report = jsonReport('x', 5, { ours, peers: { spire: { missing: 'SPIRE_SERVER_BIN is not set' } } });
  assert.equal(report.spire, null);
  assert.equal(report.reason, 'SPIRE_SERVER_BIN is not set');
  assert.deepEqual(report.ratios, {});
});

test('the table has a line a figure and says who was not measured', () => {
  const [head, ...table] = tableReport('x', 5, { ours, peers: { spire: { a_per_s: 2000 } } }).split('\n');
  assert.match(head ?? '', /^x: medians of 5 rounds on \d+ cores .*Node \d/);
  assert.deepEqual(table, [
    '',
    '              ours  spire  ours / peer',
    'a_per_s       3000   2000          1.5',
    'b_ms          1.23      -            -',
    'only_ours_mb    70      -            -',
    '',
  ]);
  const alone = tableReport('x', 5, { ours: { a: 1 }, peers: { spire: { missing: 'no program' } } });
  assert.match(alone, /\nspire was not measured: no program\n$/);
});
