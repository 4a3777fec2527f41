import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { httpFilter } from '../../src/envoy/rbac/http-filter.js';
import { renderDiagnostics } from '../../src/policy/diagnostics/render.js';
import { decide } from '../../src/policy/diagram/decide.js';
import { buildDiagram, type Diagram } from '../../src/policy/diagram/diagram.js';
import { leavesOf } from '../../src/policy/diagram/leaves.js';
import { loadPolicy } from '../../src/policy/language/load.js';
import type { Call } from '../../src/policy/request.js';
import { parseSpiffeId } from '../../src/spiffe/id.js';
import { startPolicyEnvoy } from '../support/policy-envoy.js';
import { policyText } from '../support/random-policy.js';

test('what Envoy does with every witness and near miss is what decide says, by the same rule', async (t) => {
  const envoy = await startPolicyEnvoy(t, ['one.example', 'two.example', 'evil.example']);
  const count = { policies: 0, answers: 0, refused: 0 };
  for (const text of fc.sample(policyText, { numRuns: Number(process.env.FC_RUNS ?? 25) })) {
    const diagram = diagramOf(text);
    await envoy.push(httpFilter(diagram, parseSpiffeId('spiffe://one.example/s'), Date.now()));
    for (const call of callsNear(diagram)) {
      for (const protocol of ['http1', 'http2'] as const) {
        const seen = await envoy.send(protocol, call);
        if (seen.status === 400) {
          count.refused++;
          continue;
        }
        count.answers++;
        const verdict = decide(diagram, { ...call, path: seen.path });
        const context = `${text}\n${protocol} ${JSON.stringify(call)} ${JSON.stringify(seen)}`;
        assert.deepEqual({ allowed: seen.status === 200, rule: seen.rule }, verdict, context);
      }
    }
    count.policies++;
  }
  t.diagnostic(JSON.stringify(count));
});

function callsNear(diagram: Diagram): Call[] {
  const { leaves, complete } = leavesOf(diagram, Date.now());
  assert.ok(complete);
  return leaves.map(({ call }) => call);
}

function diagramOf(text: string): Diagram {
  const { policy, diagnostics } = loadPolicy([{ name: 'p.yaml', path: 'p.yaml', text }], 0);
  assert.ok(policy, renderDiagnostics(diagnostics));
  return buildDiagram(policy, 's');
}
