import type { Clause } from '../../policy/diagram/clause.js';
import { defaultDeny, identityGuard } from '../../policy/diagram/diagram.js';
import type { Rule } from '../../policy/language/model.js';
import type { TrustDomain } from '../../spiffe/id.js';
import { anyOf } from '../../wire/messages.js';
import type { MessageIn } from '../../wire/names.js';
import type { Predicate } from './predicate.js';
import { allOf, anyCaller, anyOfThem, before, callerInput, callerIs, method, path } from './predicate.js';
import { callerRegex, oneIdOf } from './re2.js';

export type Matcher = MessageIn<'xds.type.matcher.v3.Matcher'>;
type OnMatch = NonNullable<Matcher['on_no_match']>;
type FieldMatcher = { predicate: Predicate; on_match: OnMatch };

/**
 * A service's clauses as a matcher tree in the rule-first form: the guard, then every deny, then every allow, each with its callers in
 * an exact map and then as patterns, then the default deny. An entry whose callers do not match falls through to the next one
 * (Envoy 1.40 and later), so no entry has an `on_no_match` of its own.
 */
export function ruleFirstMatcher(clauses: readonly Clause[], trustDomains: readonly TrustDomain[]): Matcher {
  const rules = rulesOf(clauses);
  const denies = rules.filter(({ rule }) => rule.effect === 'deny');
  const allows = rules.filter(({ rule }) => rule.effect === 'allow');
  const matchers = [...denies, ...allows].flatMap(entriesOf);
  const otherwise = { on_no_match: action(defaultDeny, 'DENY') };
  const rulesInOrder: Matcher =
    matchers.length === 0 ? otherwise : { matcher_list: { matchers }, ...otherwise };
  const guard = callerIs(oneIdOf(trustDomains));
  return {
    matcher_list: { matchers: [{ predicate: guard, on_match: { matcher: rulesInOrder } }] },
    on_no_match: action(identityGuard, 'DENY'),
  };
}

/** A tree without branches, which denies every request under a name that tells why. */
export function denyingMatcher(name: string): Matcher {
  return { on_no_match: action(name, 'DENY') };
}

interface RuleWithClauses {
  readonly rule: Rule;
  readonly clauses: readonly Clause[];
}

function rulesOf(clauses: readonly Clause[]): RuleWithClauses[] {
  const rules = new Map<Rule, Clause[]>();
  for (const clause of clauses) rules.set(clause.rule, [...(rules.get(clause.rule) ?? []), clause]);
  return [...rules].map(([rule, own]) => ({ rule, clauses: own }));
}

function entriesOf({ rule, clauses }: RuleWithClauses): FieldMatcher[] {
  const decision = action(rule.id, rule.effect === 'deny' ? 'DENY' : 'ALLOW');
  const operation = anyOfThem(clauses.map((clause) => allOf([...method(clause), ...path(clause)])));
  const conditions = [...operation, ...before(rule.until)];
  const exact = rule.callers.flatMap(({ exact }) => exact ?? []).sort();
  const patterns = rule.callers.filter((caller) => caller.exact === undefined).map(callerRegex);
  const entries: FieldMatcher[] = [];
  if (exact.length > 0) {
    const map = Object.fromEntries(exact.map((id) => [id, decision]));
    entries.push({
      predicate: single(allOf(conditions)),
      on_match: { matcher: { matcher_tree: { input: callerInput, exact_match_map: { map } } } },
    });
  }
  if (patterns.length > 0) {
    const fromPattern = anyOfThem(patterns.map((regex) => [callerIs(regex)]));
    entries.push({ predicate: single(allOf([...conditions, ...fromPattern])), on_match: decision });
  }
  return entries;
}

/** A rule without conditions applies to every caller that has passed the guard. */
function single([predicate = anyCaller]: readonly Predicate[]): Predicate {
  return predicate;
}

function action(name: string, effect: 'ALLOW' | 'DENY'): OnMatch {
  return { action: { name, typed_config: anyOf('envoy.config.rbac.v3.Action', { name, action: effect }) } };
}
