import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault } from '../base/faults/fault.js';
import { denyAllFilter } from '../envoy/rbac/http-filter.js';
import { anyOf, encodeAny } from '../wire/messages.js';
import { checkPolicy } from './check-policy.js';

const name = 'plastron/http/web';

function resource(inner: string, typed_config: ReturnType<typeof anyOf>) {
  const any = encodeAny('envoy.config.core.v3.TypedExtensionConfig', { name: inner, typed_config });
  return { name, version: '1', any };
}

test('a filter with a matcher and a default is taken', () => {
  checkPolicy(denyAllFilter(name));
});

test('a filter under another name, of another kind, or that lets through what nothing matches is refused', () => {
  const rbac = 'envoy.extensions.filters.http.rbac.v3.RBAC';
  const refused = [
    { ...denyAllFilter('plastron/http/other'), name },
    resource(name, anyOf('envoy.extensions.filters.http.router.v3.Router', {})),
    resource(name, anyOf(rbac, {})),
    resource(name, anyOf(rbac, { rules: { action: 'DENY' } })),
  ];
  for (const one of refused)
    assert.throws(
      () => checkPolicy(one),
      (error) => isFault(error, 'AGT0601'),
    );
});
