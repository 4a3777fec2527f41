import { contentVersion } from '../../src/base/digest.js';
import { anyOf, encodeAny } from '../../src/wire/messages.js';
import type { EncodedResource } from '../../src/wire/resource.js';

/**
 * A policy for the service `identity`, by hand and not by the compiler, for tests of what lies around policies: the named
 * callers may do everything, by the rule `fixed:allow`; everybody else is denied by `default-deny`.
 */
export function fixedPolicy(identity: string, callers: readonly string[]): EncodedResource {
  const name = `plastron/http/${identity.split('/').at(-1)}`;
  const allow = action('fixed:allow', 'ALLOW');
  const any = encodeAny('envoy.config.core.v3.TypedExtensionConfig', {
    name,
    typed_config: anyOf('envoy.extensions.filters.http.rbac.v3.RBAC', {
      rules_stat_prefix: 'live_',
      matcher: {
        ...(callers.length === 0
          ? {}
          : {
              matcher_tree: {
                input: {
                  name: 'caller',
                  typed_config: anyOf('envoy.extensions.matching.common_inputs.ssl.v3.UriSanInput', {}),
                },
                exact_match_map: { map: Object.fromEntries(callers.map((caller) => [caller, allow])) },
              },
            }),
        on_no_match: action('default-deny', 'DENY'),
      },
    }),
  });
  return { name, any, version: contentVersion(any), aliases: [identity] };
}

function action(name: string, verdict: 'ALLOW' | 'DENY') {
  return {
    action: { name, typed_config: anyOf('envoy.config.rbac.v3.Action', { name, action: verdict }) },
  };
}
