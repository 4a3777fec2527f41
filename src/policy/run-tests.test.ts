import assert from 'node:assert/strict';
import { test } from 'node:test';
import { policyOf } from '../../test/support/policy.js';
import { runTests } from './run-tests.js';

const head = `version: 1
trustDomains: { one: { id: one.example } }
callers: { web: one:/web }
services: { s: { identity: one:/s, protocol: http } }
rules:
  - { name: reads, from: web, to: s, allow: GET /v1/** }
  - { name: all, from: one:/**, to: s, allow: ANY /v1/** , until: 2027-01-01, reason: r }
  - { name: closed, from: web, to: s, deny: ANY /v1/closed }
tests:
`;

function failureOf(line: string): string | undefined {
  const [result] = runTests(policyOf(`${head}  - { from: web, to: s, ${line} }\n`));
  assert.ok(result);
  return result.failure && `${result.failure.code} ${result.failure.message}`;
}

test('a test passes when the answer, and the rule if it names one, is as expected', () => {
  assert.equal(failureOf('call: GET /v1/a, expect: allow'), undefined);
  assert.equal(failureOf('call: GET /v1/a, expect: allow, by: reads'), undefined);
  assert.equal(failureOf('call: GET /v1/closed, expect: deny, by: closed'), undefined);
  assert.equal(failureOf('call: GET /, expect: deny, by: default-deny'), undefined);
  assert.equal(failureOf("call: POST /v1/a, expect: allow, by: all, at: '2026-12-31T23:59:59Z'"), undefined);
  assert.equal(failureOf('call: POST /v1/a, expect: deny, at: 2027-01-01'), undefined);
});

test('a test fails with what the policy says instead', () => {
  assert.equal(
    failureOf('call: GET /v1/closed, expect: allow'),
    'POL0501 this test expects allow, and the policy says deny, by `p.yaml:closed`',
  );
  assert.equal(
    failureOf('call: GET /v1/a, expect: allow, by: all'),
    'POL0502 this test expects `p.yaml:all` to decide, and `p.yaml:reads` does',
  );
});

test('a test whose answer depends on the day must say which day it means', () => {
  assert.equal(
    failureOf('call: POST /v1/a, expect: allow'),
    'POL0503 the answer to this test changes at 2027-01-01T00:00:00Z',
  );
  assert.equal(failureOf('call: POST /v1/closed, expect: deny'), undefined);
});
