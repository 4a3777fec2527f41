import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { httpFilter } from '../../src/envoy/rbac/http-filter.js';
import { decide } from '../../src/policy/diagram/decide.js';
import type { Diagram } from '../../src/policy/diagram/diagram.js';
import type { Verdict } from '../../src/policy/request.js';
import { parseSpiffeId } from '../../src/spiffe/id.js';
import { type NearCall, nearCalls } from '../support/near-misses.js';
import { diagramOf } from '../support/policy.js';
import { type PolicyEnvoy, type Protocol, startPolicyEnvoy } from '../support/policy-envoy.js';
import { policyText } from '../support/random-policy.js';

// FUZZ_MINUTES and FUZZ_SEED make it a long run (npm run fuzz:policy); a failure names the seed.
const minutes = Number(process.env.FUZZ_MINUTES ?? 0);
const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 1_000_000);
const policies = 25;
const leavesEach = minutes > 0 ? 60 : 8;

test('what Envoy does at every leaf and right beside it is what decide says, by the same rule', async (t) => {
  const envoy = await startPolicyEnvoy(t, ['one.example', 'two.example', 'onexexample', 'twoxexample']);
  const count = { policies: 0, compared: 0, malformed: 0 };
  const end = performance.now() + minutes * 60_000;
  for (let round = 0; round < policies || performance.now() < end; round++) {
    const [text = ''] = fc.sample(policyText, { numRuns: 1, seed: seed + round });
    const diagram = diagramOf(text);
    await envoy.push(httpFilter(diagram, identity, Date.now()));
    const calls = nearCalls(diagram, Date.now(), leavesEach, seed + round);
    for (const [index, call] of calls.entries()) {
      // The even ones over one protocol in the even rounds, over the other in the odd ones.
      const protocol = (index + round) % 2 === 0 ? 'http1' : 'http2';
      const difference = await compare(envoy, protocol, diagram, call);
      assert.ok(
        typeof difference === 'string',
        `seed ${seed + round}, ${protocol}\n${text}\n${JSON.stringify(difference)}`,
      );
      count[difference]++;
    }
    count.policies++;
  }
  t.diagnostic(`seed ${seed}: ${JSON.stringify(count)}`);
  assert.ok(count.compared > 1000);
});

const identity = parseSpiffeId('spiffe://one.example/s');

interface Difference {
  call: NearCall;
  seen: Verdict;
  expected: Verdict;
}

/** `malformed`: Envoy answers 400 before any filter is asked. */
async function compare(
  envoy: PolicyEnvoy,
  protocol: Protocol,
  diagram: Diagram,
  call: NearCall,
): Promise<'compared' | 'malformed' | Difference> {
  const { status, rule, path } = await envoy.send(protocol, call, call.names);
  if (status === 400) return 'malformed';
  const seen = { allowed: status === 200, rule };
  const expected = expectedFor(diagram, call, path);
  const same = seen.allowed === expected.allowed && seen.rule === expected.rule;
  return same ? 'compared' : { call, seen, expected };
}

/** `decide` speaks of the path that Envoy saw. A certificate with more than one name is nobody's. */
function expectedFor(diagram: Diagram, { names, method }: NearCall, path: string): Verdict {
  const [name = ''] = names;
  if (names.length > 1 || name.includes(',')) return { allowed: false, rule: 'identity-guard' };
  return decide(diagram, { caller: parseSpiffeId(name), method, path, at: Date.now() });
}
