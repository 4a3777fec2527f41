import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { instantAt } from '../../src/base/instant.js';
import { denyAllFilter, httpFilter } from '../../src/envoy/rbac/http-filter.js';
import { canonicalPath } from '../../src/policy/language/canonical-path.js';
import { parseSpiffeId } from '../../src/spiffe/id.js';
import { diagramOf } from '../support/policy.js';
import { startPolicyEnvoy } from '../support/policy-envoy.js';
import { path as hostilePath } from '../support/random-policy.js';

const call = { caller: 'spiffe://one.example/web', method: 'GET', path: '/v1/orders' };

test('a rule ends by itself at its instant, an allow and a deny, without a word from us', async (t) => {
  const envoy = await startPolicyEnvoy(t, ['one.example', 'two.example']);
  const end = instantAt(Date.now() + 2_000);
  const until = `until: '${end.text}', reason: r`;
  const diagram = diagramOf(`version: 1
trustDomains: { one: { id: one.example }, two: { id: two.example } }
services: { s: { identity: one:/s, protocol: http } }
rules:
  - { name: reads, from: one:/web, to: s, allow: GET /v1/**, ${until} }
  - { name: not-yet, from: two:/web, to: s, deny: ANY /v1/**, ${until} }
  - { name: later, from: two:/web, to: s, allow: GET /v1/** }
`);
  await envoy.push(httpFilter(diagram, parseSpiffeId('spiffe://one.example/s'), Date.now()));
  const other = { ...call, caller: 'spiffe://two.example/web' };
  const before = [await envoy.send('http1', call), await envoy.send('http2', other)];
  if (Date.now() < end.ms) {
    assert.deepEqual(
      before.map(({ status, rule }) => [status, rule]),
      [
        [200, 'p.yaml:reads'],
        [403, 'p.yaml:not-yet'],
      ],
    );
  }
  while (Date.now() < end.ms) await sleep(end.ms - Date.now());
  const after = [await envoy.send('http1', call), await envoy.send('http2', other)];
  assert.deepEqual(
    after.map(({ status, rule }) => [status, rule]),
    [
      [403, 'default-deny'],
      [200, 'p.yaml:later'],
    ],
  );
});

test('a service without a policy, or without rules, is denied to everybody, explicitly', async (t) => {
  const envoy = await startPolicyEnvoy(t, ['one.example']);
  const withoutRules = diagramOf(`version: 1
trustDomains: { one: { id: one.example } }
services: { s: { identity: one:/s, protocol: http } }
`);
  await envoy.push(denyAllFilter('plastron/http/s'));
  const first = await envoy.send('http1', call);
  await envoy.push(httpFilter(withoutRules, parseSpiffeId('spiffe://one.example/s'), Date.now()));
  const second = await envoy.send('http1', call);
  assert.deepEqual(
    [first, second].map(({ status, rule }) => [status, rule]),
    [
      [403, 'no-policy'],
      [403, 'default-deny'],
    ],
  );
});

test('the canonical form of a path is what Envoy makes of it', async (t) => {
  const envoy = await startPolicyEnvoy(t, ['one.example']);
  const everything = diagramOf(`version: 1
trustDomains: { one: { id: one.example } }
services: { s: { identity: one:/s, protocol: http } }
rules:
  - { name: all, from: one:/**, to: s, allow: ANY /** }
`);
  await envoy.push(httpFilter(everything, parseSpiffeId('spiffe://one.example/s'), Date.now()));
  const paths = fc
    .sample(hostilePath, { numRuns: 600, seed: 11 })
    .filter((path) => /^\/[!"$-~]*$/.test(path));
  assert.ok(paths.length > 200);
  for (const path of paths) {
    const { status, path: seen } = await envoy.send('http1', { ...call, path });
    const canonical = canonicalPath(path);
    if (status !== 200) assert.ok('reason' in canonical, path);
    // Percent-encodings in small letters pass Envoy as they are; a policy is written with capitals.
    else if ('path' in canonical) assert.equal(capitals(seen), canonical.path, path);
  }
});

function capitals(path: string): string {
  return path.replace(/%../g, (encoded) => encoded.toUpperCase());
}
