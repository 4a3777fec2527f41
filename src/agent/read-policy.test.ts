import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault } from '../base/faults/fault.js';
import { denyAllFilter } from '../envoy/rbac/http-filter.js';
import { anyOf, decode, encodeAny } from '../wire/messages.js';
import type { EncodedResource } from '../wire/resource.js';
import type { ReceivedResource } from '../xds/client.js';
import { readPolicy } from './read-policy.js';

const name = 'plastron/http/web';

function resource(inner: string, typed_config: ReturnType<typeof anyOf>) {
  const any = encodeAny('envoy.config.core.v3.TypedExtensionConfig', { name: inner, typed_config });
  return { name, version: '1', any };
}

function received({ name, version, any }: EncodedResource): ReceivedResource {
  const { type_url: typeUrl = '', value = Buffer.alloc(0) } = decode('google.protobuf.Any', any);
  return { name, version, aliases: [], typeUrl, value };
}

test('a filter with a matcher and a default is taken', () => {
  const filter = denyAllFilter(name);
  const { version, any } = readPolicy(received(filter));
  assert.deepEqual([version, any], [filter.version, filter.any]);
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
      () => readPolicy(received(one)),
      (error) => isFault(error, 'AGT0601'),
    );
});
