import { type Diagnostic, diagnostic } from '../base/diagnostics/diagnostic.js';
import { instantAt } from '../base/instant.js';
import { decide } from './diagram/decide.js';
import { buildDiagram, type Diagram } from './diagram/diagram.js';
import type { Policy, PolicyTest } from './language/model.js';
import type { Verdict } from './request.js';

/** What became of one of a policy's own tests. */
export interface TestResult {
  readonly test: PolicyTest;
  readonly verdict: Verdict;
  /** Why it failed: POL0501 to POL0503. */
  readonly failure: Diagnostic | undefined;
}

/**
 * Runs `tests:`. The results depend on the policy alone and never on the day: a test without `at` must have the same answer
 * at every instant, so that a policy that is accepted once is accepted after any restart.
 */
export function runTests(policy: Policy, diagramOf = diagramsOf(policy)): TestResult[] {
  return policy.tests.map((test) => runTest(test, diagramOf(test.service)));
}

/** The diagram of each service, built once. */
export function diagramsOf(policy: Policy): (service: string) => Diagram {
  const diagrams = new Map<string, Diagram>();
  return (service) => {
    const diagram = diagrams.get(service) ?? buildDiagram(policy, service);
    diagrams.set(service, diagram);
    return diagram;
  };
}

function runTest(test: PolicyTest, diagram: Diagram): TestResult {
  const { caller, method, path, expect, by, atInstant } = test;
  const verdictAt = (at: number) => decide(diagram, { caller, method, path, at });
  const verdict = verdictAt(atInstant?.ms ?? 0);
  const fail = (failure: Diagnostic): TestResult => ({ test, verdict, failure });
  if (!atInstant) {
    const change = endsOf(diagram).find((at) => !sameFor(test, verdictAt(at), verdict));
    if (change !== undefined)
      return fail(diagnostic('POL0503', { instant: instantAt(change).text }, test.at));
  }
  if (verdict.allowed !== (expect === 'allow')) {
    const said = verdict.allowed ? 'allow' : 'deny';
    const params = { expected: expect, verdict: said, rule: verdict.rule };
    return fail(diagnostic('POL0501', params, test.at));
  }
  if (by !== undefined && by !== verdict.rule) {
    return fail(diagnostic('POL0502', { expected: by, rule: verdict.rule }, test.at));
  }
  return { test, verdict, failure: undefined };
}

/** The instants at which a rule of the service ends, the earliest first. */
function endsOf({ clauses }: Diagram): number[] {
  return [...new Set(clauses.flatMap(({ rule }) => rule.until?.ms ?? []))].sort((a, b) => a - b);
}

function sameFor({ by }: PolicyTest, a: Verdict, b: Verdict): boolean {
  return a.allowed === b.allowed && (by === undefined || a.rule === b.rule);
}
