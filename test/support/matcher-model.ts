import type { Matcher } from '../../src/envoy/rbac/matcher.js';
import { decode } from '../../src/wire/messages.js';

// What Envoy 1.40 does with our matcher trees, as a model that runs in a millisecond: mutants of the compiler are hunted with
// it. That the model is right is what test/envoy/policy-differential.test.ts shows.

export interface ModelRequest {
  /** Joined by commas, as Envoy sees them. */
  readonly uriSans: string;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** Milliseconds. */
  readonly at: number;
}

export interface ModelAnswer {
  readonly allowed: boolean;
  readonly rule: string;
}

type OnMatch = NonNullable<Matcher['on_no_match']>;
type MatcherList = NonNullable<Matcher['matcher_list']>;
type Predicate = NonNullable<NonNullable<MatcherList['matchers']>[number]['predicate']>;
type Single = NonNullable<Predicate['single_predicate']>;

/** `undefined` when the tree says nothing, which Envoy takes for a denial. */
export function runMatcher(matcher: Matcher, request: ModelRequest): ModelAnswer | undefined {
  for (const { predicate, on_match } of matcher.matcher_list?.matchers ?? []) {
    if (!predicate || !holds(predicate, request)) continue;
    const answer = follow(on_match, request);
    if (answer) return answer;
  }
  const map = matcher.matcher_tree?.exact_match_map?.map ?? {};
  const found = follow(Object.hasOwn(map, request.uriSans) ? map[request.uriSans] : undefined, request);
  return found ?? follow(matcher.on_no_match, request);
}

function follow(on: OnMatch | null | undefined, request: ModelRequest): ModelAnswer | undefined {
  if (on?.matcher) return runMatcher(on.matcher, request);
  const packed = on?.action?.typed_config;
  if (!packed || !('value' in packed)) return;
  const { name = '', action = 'ALLOW' } = decode('envoy.config.rbac.v3.Action', packed.value as Buffer);
  return { allowed: action === 'ALLOW', rule: name };
}

function holds(predicate: Predicate, request: ModelRequest): boolean {
  if (predicate.not_matcher) return !holds(predicate.not_matcher, request);
  if (predicate.or_matcher) return (predicate.or_matcher.predicate ?? []).some((one) => holds(one, request));
  if (predicate.and_matcher)
    return (predicate.and_matcher.predicate ?? []).every((one) => holds(one, request));
  const single = predicate.single_predicate;
  if (!single) throw new Error('a predicate without an arm');
  return single.custom_match ? isBefore(single, request.at) : hasValue(single, request);
}

function hasValue({ input, value_match }: Single, request: ModelRequest): boolean {
  const inputs: Record<string, string> = {
    'uri-san': request.uriSans,
    method: request.method,
    path: request.path,
  };
  const value = inputs[input?.name ?? ''];
  if (value === undefined || !value_match) throw new Error(`no input is called ${input?.name}`);
  if (value_match.exact !== undefined) return value === value_match.exact;
  if (value_match.prefix !== undefined) return value.startsWith(value_match.prefix);
  return regex(value_match.safe_regex?.regex ?? '').test(value);
}

const compiled = new Map<string, RegExp>();

/** RE2 as we write it, which matches the whole text. */
function regex(text: string): RegExp {
  const known = compiled.get(text);
  if (known) return known;
  const folded = text.startsWith('(?i)');
  const made = new RegExp(`^(?:${folded ? text.slice(4) : text})$`, folded ? 'is' : 's');
  compiled.set(text, made);
  return made;
}

/** `request.time < timestamp(...)`, read from the expression itself. */
function isBefore({ custom_match }: Single, at: number): boolean {
  const packed = custom_match?.typed_config;
  if (!packed || !('value' in packed)) throw new Error('a CEL matcher without an expression');
  const { expr_match } = decode('xds.type.matcher.v3.CelMatcher', packed.value as Buffer);
  const call = expr_match?.cel_expr_parsed?.expr?.call_expr;
  const [left, right] = call?.args ?? [];
  const time =
    left?.select_expr?.operand?.ident_expr?.name === 'request' && left.select_expr.field === 'time';
  const text = right?.call_expr?.args?.[0]?.const_expr?.string_value;
  if (call?.function !== '_<_' || !time || right?.call_expr?.function !== 'timestamp' || text === undefined) {
    throw new Error('an expression that the model does not know');
  }
  return at < Date.parse(text);
}
