import { contentVersion } from '../../base/digest.js';
import { fault } from '../../base/faults/fault.js';
import type { Diagram } from '../../policy/diagram/diagram.js';
import type { SpiffeId } from '../../spiffe/id.js';
import { anyOf, encodeAny, typeUrlOf } from '../../wire/messages.js';
import type { EncodedResource } from '../../wire/resource.js';
import { denyingMatcher, type Matcher, ruleFirstMatcher } from './matcher.js';

declare const checked: unique symbol;

/**
 * An HTTP RBAC filter as an ECDS resource that passed every check. Proof as a value: only the functions of this file make
 * one. It always has a matcher with a default: a filter with neither rules nor matcher would let everything through.
 */
export interface CheckedFilter extends EncodedResource {
  readonly [checked]: true;
}

const messageName = 'envoy.config.core.v3.TypedExtensionConfig';

/** The type URL that ECDS resources are asked for under. */
export const extensionConfigTypeUrl = typeUrlOf(messageName);

/** More than this stops Envoy's main thread for too long. */
const maxBytes = 4 * 1024 * 1024;
/** Counters per rule cost Envoy time with every request. */
const maxRulesWithStats = 100;

/** The name of a service's policy as an ECDS resource. */
function httpPolicyName(service: string): string {
  return `plastron/http/${service}`;
}

/**
 * A service's policy as the filter `plastron/http/<service>`; `identity` is its SPIFFE ID, which becomes the alias of the
 * resource. An allow that has ended by the instant `at` (milliseconds) is left out; a deny never is, since our clock may be
 * ahead of Envoy's. Throws POL0601.
 */
export function httpFilter(diagram: Diagram, identity: SpiffeId, at: number): CheckedFilter {
  const clauses = diagram.clauses.filter(
    ({ rule: { effect, until } }) => effect === 'deny' || !until || at < until.ms,
  );
  const rules = new Set(clauses.map(({ rule }) => rule.id)).size;
  const filter = seal(httpPolicyName(diagram.service), {
    matcher: ruleFirstMatcher(clauses, diagram.trustDomains),
    trackRules: rules <= maxRulesWithStats,
  });
  if (filter.any.length > maxBytes) {
    throw fault('POL0601', { service: diagram.service, bytes: filter.any.length, limit: maxBytes });
  }
  // The alias travels with the resource, so another identity is another version.
  return { ...filter, version: contentVersion(filter.any, identity), aliases: [identity] };
}

/** The filter `name` that denies every request, for services without a policy; `no-policy` is the rule that decides. */
export function denyAllFilter(name: string): CheckedFilter {
  return seal(name, { matcher: denyingMatcher('no-policy'), trackRules: true });
}

function seal(
  name: string,
  { matcher, trackRules }: { matcher: Matcher; trackRules: boolean },
): CheckedFilter {
  const typed_config = anyOf('envoy.extensions.filters.http.rbac.v3.RBAC', {
    matcher,
    rules_stat_prefix: 'live_',
    track_per_rule_stats: trackRules,
  });
  const any = encodeAny(messageName, { name, typed_config });
  return { name, version: contentVersion(any), any } as EncodedResource as CheckedFilter;
}
