import type { CallerPattern } from '../language/caller-pattern.js';
import type { Operation, Policy, Rule } from '../language/model.js';

/**
 * One operation of one rule for one service: a box, since each of its conditions is about one dimension of a call and none
 * knows of another. A service's policy is nothing but its clauses in order.
 */
export interface Clause {
  /** Its place among the service's clauses: rules in the order of the policy, operations in the order of the rule. */
  readonly index: number;
  readonly rule: Rule;
  readonly operation: Operation;
  readonly callers: readonly CallerPattern[];
}

export function clausesOf(policy: Policy, service: string): Clause[] {
  return policy.rules
    .filter(({ services }) => services.includes(service))
    .flatMap((rule) => rule.operations.map((operation) => ({ rule, operation, callers: rule.callers })))
    .map((clause, index) => ({ index, ...clause }));
}
