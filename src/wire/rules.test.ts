import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault } from '../base/faults/fault.js';
import { encode } from './messages.js';

const uriSan = {
  name: 'uri',
  typed_config: { '@type': 'type.googleapis.com/envoy.extensions.matching.common_inputs.ssl.v3.UriSanInput' },
};

test('a required field that is missing is refused', () => {
  assert.throws(
    () => encode('xds.core.v3.TypedExtensionConfig', { name: 'uri' }),
    (error: Error) =>
      isFault(error, 'WIR0201') &&
      error.message ===
        '`xds.core.v3.TypedExtensionConfig` has no `typed_config`, which every xds.core.v3.TypedExtensionConfig must have',
  );
});

test('a required oneof without an arm is refused: xds regular expressions need their engine', () => {
  assert.throws(
    () => encode('xds.type.matcher.v3.RegexMatcher', { regex: '^/a$' }),
    (error: Error) => isFault(error, 'WIR0202') && error.message.includes('`engine_type`'),
  );
  encode('xds.type.matcher.v3.RegexMatcher', { google_re2: {}, regex: '^/a$' });
});

test('an arm of a oneof that is marked as required may be another arm', () => {
  encode('xds.type.matcher.v3.StringMatcher', { prefix: '/a' });
});

test('a matcher map without an entry is refused, with its path', () => {
  assert.throws(
    () =>
      encode('xds.type.matcher.v3.Matcher', {
        matcher_tree: { input: uriSan, exact_match_map: { map: {} } },
      }),
    (error: Error) =>
      isFault(error, 'WIR0203') &&
      error.message ===
        '`xds.type.matcher.v3.Matcher.matcher_tree.exact_match_map.map` has 0 entries, fewer than 1',
  );
});

test('an absent list or string counts as empty, an absent arm of a oneof does not', () => {
  assert.throws(
    () => encode('envoy.config.rbac.v3.Policy', { principals: [{ any: true }] }),
    (error: Error) => isFault(error, 'WIR0203') && error.message.includes('Policy.permissions'),
  );
  assert.throws(
    () =>
      encode('envoy.config.core.v3.TypedExtensionConfig', {
        typed_config: { '@type': uriSan.typed_config['@type'] },
      }),
    (error: Error) => isFault(error, 'WIR0203') && error.message.includes('TypedExtensionConfig.name'),
  );
  assert.throws(
    () => encode('envoy.config.core.v3.DataSource', { filename: '' }),
    (error: Error) => isFault(error, 'WIR0203') && error.message.includes('DataSource.filename'),
  );
  encode('envoy.config.core.v3.DataSource', { inline_bytes: Buffer.alloc(0) });
});

test('what is too large is refused', () => {
  assert.throws(
    () => encode('envoy.config.core.v3.HeaderValue', { key: 'k'.repeat(16_385) }),
    (error: Error) => isFault(error, 'WIR0204') && error.message.includes('has 16385 bytes, more than 16384'),
  );
});
