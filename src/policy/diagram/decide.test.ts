import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  caller,
  instant,
  method,
  path,
  policyText,
  policyWith,
} from '../../../test/support/random-policy.js';
import { referenceDecide } from '../../../test/support/reference-policy.js';
import { renderDiagnostics } from '../../base/diagnostics/render.js';
import { parseSpiffeId, parseWorkloadId } from '../../spiffe/id.js';
import { canonicalPath } from '../language/canonical-path.js';
import { loadPolicy } from '../language/load.js';
import type { Policy } from '../language/model.js';
import type { Call } from '../request.js';
import { decide, leafFor } from './decide.js';
import { buildDiagram } from './diagram.js';
import { leavesOf } from './leaves.js';

const runs = Number(process.env.FC_RUNS ?? 200);

const calls = fc.array(fc.record({ caller: caller.map(parseSpiffeId), method, path, at: instant }), {
  minLength: 20,
  maxLength: 20,
});

test('decide agrees with the reference on every policy and every call', () => {
  fc.assert(
    fc.property(policyText, calls, (text, list) => {
      const policy = policyOf(text);
      const diagram = buildDiagram(policy, 's');
      for (const call of list) {
        const expected = referenceDecide(policy, 's', call);
        assert.deepEqual(decide(diagram, call), expected, `${text}\n${JSON.stringify(call)}`);
      }
    }),
    { numRuns: runs },
  );
});

test('every leaf has a witness that can be sent and ends in it', () => {
  fc.assert(
    fc.property(policyText, instant, (text, at) => {
      const policy = policyOf(text);
      const { leaves, complete } = leavesOf(buildDiagram(policy, 's'), at);
      assert.ok(complete);
      for (const { leaf, call } of leaves) {
        parseWorkloadId(call.caller);
        const canonical = canonicalPath(call.path);
        assert.ok('path' in canonical);
        // Envoy keeps percent-encodings in small letters as they are; only policies are held to capitals.
        assert.equal(canonical.path.toLowerCase(), call.path.toLowerCase());
        const expected = referenceDecide(policy, 's', call);
        assert.deepEqual(leaf.verdict, expected, `${text}\n${JSON.stringify(call)}`);
      }
    }),
    { numRuns: runs },
  );
});

test('no call that can be sent ends in a leaf that is not listed', () => {
  fc.assert(
    fc.property(policyText, calls, (text, list) => {
      const diagram = buildDiagram(policyOf(text), 's');
      for (const call of list.filter(canBeSent)) {
        const { leaves } = leavesOf(diagram, call.at);
        assert.ok(
          leaves.some(({ leaf }) => leaf === leafFor(diagram, call)),
          `${text}\n${JSON.stringify(call)}`,
        );
      }
    }),
    { numRuns: runs / 10 },
  );
});

test('an enumeration that runs out of steps says that it is incomplete', () => {
  const diagram = buildDiagram(policyOf(policyWith([rule, { ...rule, effect: 'deny' }])), 's');
  const { leaves } = leavesOf(diagram, 0);
  for (let steps = 0; steps < 40; steps++) {
    const found = leavesOf(diagram, 0, steps);
    assert.equal(found.complete, false);
    assert.ok(found.leaves.length < leaves.length);
  }
  assert.equal(leavesOf(diagram, 0).complete, true);
});

const rule = {
  from: ['one:/a/*', 'two:/**'],
  effect: 'allow',
  operations: ['GET /a/*', 'ANY /b/**'],
  until: undefined,
} as const;

function canBeSent({ caller, path }: Call): boolean {
  const canonical = canonicalPath(path);
  return (
    !caller.includes('evil') && !caller.includes('onex') && 'path' in canonical && canonical.path === path
  );
}

function policyOf(text: string): Policy {
  const { policy, diagnostics } = loadPolicy([{ name: 'p.yaml', path: 'p.yaml', text }], 0);
  assert.ok(policy, renderDiagnostics(diagnostics));
  return policy;
}
