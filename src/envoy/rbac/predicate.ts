import type { Instant } from '../../base/instant.js';
import type { Clause } from '../../policy/diagram/clause.js';
import { anyOf } from '../../wire/messages.js';
import type { MessageIn } from '../../wire/names.js';
import { allowedPathRegex, deniedPathRegex, plainPathRegex } from './re2.js';

// The conditions of a rule as matcher predicates. A list of none means "always", since Envoy's lists need two predicates.

type MatcherList = NonNullable<MessageIn<'xds.type.matcher.v3.Matcher'>['matcher_list']>;
type FieldMatcher = NonNullable<MatcherList['matchers']>[number];
export type Predicate = NonNullable<FieldMatcher['predicate']>;
type Input = NonNullable<NonNullable<Predicate['single_predicate']>['input']>;

/** All URI SANs of the caller's certificate, joined by commas: so a second one never matches as if it stood alone. */
export const callerInput: Input = {
  name: 'uri-san',
  typed_config: anyOf('envoy.extensions.matching.common_inputs.ssl.v3.UriSanInput', {}),
};

export function callerIs(regex: string): Predicate {
  return { single_predicate: { input: callerInput, value_match: { safe_regex: { google_re2: {}, regex } } } };
}

/** Whoever has passed the guard. */
export const anyCaller: Predicate = {
  single_predicate: { input: callerInput, value_match: { prefix: 'spiffe://' } },
};

export function method({ operation }: Clause): Predicate[] {
  if (operation.method === undefined) return [];
  return [{ single_predicate: { input: methodInput, value_match: { exact: operation.method } } }];
}

/** A deny takes its pattern widely, and every path that is not plain. */
export function path({ rule, operation }: Clause): Predicate[] {
  if (rule.effect === 'allow') return [pathMatches(allowedPathRegex(operation.path))];
  if (operation.path.text === '/**') return [];
  const notPlain = { not_matcher: pathMatches(plainPathRegex) };
  return [{ or_matcher: { predicate: [pathMatches(deniedPathRegex(operation.path)), notPlain] } }];
}

/** `request.time < timestamp(until)` in CEL: Envoy ends the rule by itself. Only ever from an instant that has been checked. */
export function before(until: Instant | undefined): Predicate[] {
  if (!until) return [];
  const timestamp = {
    call_expr: { function: 'timestamp', args: [{ const_expr: { string_value: until.text } }] },
  };
  const requestTime = { select_expr: { operand: { ident_expr: { name: 'request' } }, field: 'time' } };
  const expression = { call_expr: { function: '_<_', args: [requestTime, timestamp] } };
  const matcher = anyOf('xds.type.matcher.v3.CelMatcher', {
    expr_match: { cel_expr_parsed: { expr: expression } },
    description: `request.time < timestamp("${until.text}")`,
  });
  return [
    {
      single_predicate: {
        input: {
          name: 'attributes',
          typed_config: anyOf('xds.type.matcher.v3.HttpAttributesCelMatchInput', {}),
        },
        custom_match: { name: 'envoy.matching.matchers.cel_matcher', typed_config: matcher },
      },
    },
  ];
}

export function allOf(predicates: readonly Predicate[]): Predicate[] {
  return predicates.length < 2 ? [...predicates] : [{ and_matcher: { predicate: [...predicates] } }];
}

/** Of several alternatives; one without conditions makes the whole unconditional. */
export function anyOfThem(alternatives: readonly (readonly Predicate[])[]): Predicate[] {
  if (alternatives.some((alternative) => alternative.length === 0)) return [];
  const all = alternatives.flatMap(allOf);
  return all.length < 2 ? all : [{ or_matcher: { predicate: all } }];
}

const methodInput = requestHeader(':method');
const pathInput = requestHeader(':path');

function pathMatches(regex: string): Predicate {
  return { single_predicate: { input: pathInput, value_match: { safe_regex: { google_re2: {}, regex } } } };
}

function requestHeader(name: string): Input {
  return {
    name: name.slice(1),
    typed_config: anyOf('envoy.type.matcher.v3.HttpRequestHeaderMatchInput', { header_name: name }),
  };
}
