import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { denyAllFilter, httpFilter } from '../../src/envoy/rbac/http-filter.js';
import { instantAt } from '../../src/policy/language/instant.js';
import { parseSpiffeId } from '../../src/spiffe/id.js';
import { diagramOf } from '../support/policy.js';
import { startPolicyEnvoy } from '../support/policy-envoy.js';

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
