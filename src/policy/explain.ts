import { trustDomainOf } from '../spiffe/id.js';
import type { Clause } from './diagram/clause.js';
import { leafFor } from './diagram/decide.js';
import { type Diagram, identityGuard } from './diagram/diagram.js';
import { allowedPaths, callerSegments, callersOf, contains, pathSegments } from './diagram/path-set.js';
import type { Rule } from './language/model.js';
import type { Call, Verdict } from './request.js';

/** Why a call is allowed or denied. */
export interface Explanation {
  readonly verdict: Verdict;
  /** The clause that decided; `undefined` for `default-deny` and `identity-guard`. */
  readonly decidedBy: Clause | undefined;
  /** An allow that the deciding deny overrides. */
  readonly overridden: Rule | undefined;
  /** Of a call that no rule allows: the allow that comes closest, and what it fails on. */
  readonly nearest: NearMiss | undefined;
}

export interface NearMiss {
  readonly clause: Clause;
  /** One for each thing that the rule asks, in the order in which it is written. */
  readonly conditions: readonly Condition[];
}

export interface Condition {
  readonly about: 'from' | 'method' | 'path' | 'until';
  readonly holds: boolean;
}

export function explain(diagram: Diagram, call: Call): Explanation {
  if (!diagram.trustDomains.includes(trustDomainOf(call.caller))) {
    const verdict = { allowed: false, rule: identityGuard };
    return { verdict, decidedBy: undefined, overridden: undefined, nearest: undefined };
  }
  const { verdict, live } = leafFor(diagram, call);
  const decidedBy = live.find(({ rule }) => rule.id === verdict.rule);
  const allowing = live.find(({ rule }) => rule.effect === 'allow');
  return {
    verdict,
    decidedBy,
    overridden: verdict.allowed ? undefined : allowing?.rule,
    nearest: live.length === 0 ? nearestAllow(diagram, call) : undefined,
  };
}

function nearestAllow({ clauses }: Diagram, call: Call): NearMiss | undefined {
  let best: { miss: NearMiss; distance: number } | undefined;
  for (const clause of clauses.filter(({ rule }) => rule.effect === 'allow')) {
    const conditions = conditionsOf(clause, call);
    const distance = conditions.reduce((sum, { about, holds }) => sum + (holds ? 0 : weights[about]), 0);
    if (!best || distance < best.distance) best = { miss: { clause, conditions }, distance };
  }
  return best?.miss;
}

/** Few failures are nearer than many; of one failure each, the one that is easiest to be mistaken about is nearest. */
const weights = { until: 100, method: 101, path: 102, from: 103 } as const;

/** Of an allow. */
function conditionsOf({ rule, operation, callers }: Clause, call: Call): Condition[] {
  const caller = callerSegments(call.caller);
  return [
    { about: 'from', holds: callers.some((pattern) => contains(callersOf(pattern), caller)) },
    { about: 'method', holds: operation.method === undefined || operation.method === call.method },
    { about: 'path', holds: contains(allowedPaths(operation.path), pathSegments(call.path)) },
    ...(rule.until ? [{ about: 'until' as const, holds: call.at < rule.until.ms }] : []),
  ];
}
