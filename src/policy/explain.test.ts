import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { diagramOf } from '../../test/support/policy.js';
import { caller, instant, method, path, policyText } from '../../test/support/random-policy.js';
import { parseSpiffeId } from '../spiffe/id.js';
import { decide } from './diagram/decide.js';
import { explain } from './explain.js';

const diagram = diagramOf(`version: 1
trustDomains: { one: { id: one.example } }
callers: { web: one:/web, batch: one:/batch }
services: { s: { identity: one:/s, protocol: http } }
rules:
  - { name: reads, from: web, to: s, allow: [GET /v1/orders, GET /v1/orders/*] }
  - { name: posts, from: web, to: s, allow: POST /v1/orders }
  - { name: refunds, from: batch, to: s, allow: POST /v1/refunds, until: 2027-01-01, reason: r }
  - { name: no-export, from: [web, batch], to: s, deny: ANY /v1/orders/export }
`);

test('of a call that nothing allows, the nearest allow and the one thing that it fails on are named', () => {
  const cases: [string, string, string, string, string][] = [
    ['web', 'DELETE', '/v1/orders', 'reads', 'method'],
    ['web', 'GET', '/v1/order', 'reads', 'path'],
    ['web', 'POST', '/v1/orders/7', 'reads', 'method'],
    ['web', 'POST', '/v1/nothing', 'posts', 'path'],
    ['other', 'GET', '/v1/orders/7', 'reads', 'from'],
    ['batch', 'POST', '/v1/refunds', 'refunds', 'until'],
    ['other', 'PUT', '/elsewhere', 'reads', 'from method path'],
  ];
  for (const [who, verb, where, rule, fails] of cases) {
    const call = { caller: parseSpiffeId(`spiffe://one.example/${who}`), method: verb, path: where };
    const { nearest, decidedBy } = explain(diagram, { ...call, at: Date.parse('2027-01-01T00:00:00Z') });
    assert.equal(decidedBy, undefined);
    assert.equal(nearest?.clause.rule.name, rule, `${who} ${verb} ${where}`);
    const failing = nearest?.conditions.filter(({ holds }) => !holds).map(({ about }) => about);
    assert.equal(failing?.join(' '), fails);
  }
});

test('of a denied call, the deny and the allow that it overrides are named', () => {
  const call = {
    caller: parseSpiffeId('spiffe://one.example/web'),
    method: 'GET',
    path: '/v1/orders/export',
    at: 0,
  };
  const { decidedBy, overridden, nearest } = explain(diagram, call);
  assert.equal(decidedBy?.rule.name, 'no-export');
  assert.equal(overridden?.name, 'reads');
  assert.equal(nearest, undefined);
});

test('a caller of a trust domain that the policy does not have meets no rule at all', () => {
  const call = {
    caller: parseSpiffeId('spiffe://two.example/web'),
    method: 'GET',
    path: '/v1/orders',
    at: 0,
  };
  const { verdict, nearest } = explain(diagram, call);
  assert.deepEqual(verdict, { allowed: false, rule: 'identity-guard' });
  assert.equal(nearest, undefined);
});

test('what is explained is what is decided, and the nearest rule always fails on something', () => {
  const calls = fc.record({ caller: caller.map(parseSpiffeId), method, path, at: instant });
  fc.assert(
    fc.property(policyText, calls, (text, call) => {
      const random = diagramOf(text);
      const { verdict, decidedBy, nearest } = explain(random, call);
      assert.deepEqual(verdict, decide(random, call));
      assert.equal(decidedBy?.rule.id ?? verdict.rule, verdict.rule);
      if (nearest) assert.ok(nearest.conditions.some(({ holds }) => !holds));
    }),
  );
});
