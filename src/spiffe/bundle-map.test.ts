import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { testCa } from '../../test/support/ca.js';
import { isFault } from '../base/faults/fault.js';
import type { FaultCode } from '../base/faults/table.js';
import type { Bundle } from './bundle.js';
import { bundleToJwks } from './bundle-jwks.js';
import { bundleMapFromJson, bundleMapToJson } from './bundle-map.js';
import { parseTrustDomain } from './id.js';

const shop = parseTrustDomain('shop.example');
const other = parseTrustDomain('other.example');
const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwtAuthorities = [
  { keyId: 'k', publicKey: publicKey.export({ format: 'der', type: 'spki' }), expiresAt: 0, tainted: false },
];
const bundles: Bundle[] = [
  { ...testCa('shop.example').bundle, jwtAuthorities, sequence: 2n ** 63n, refreshHint: 300 },
  { ...testCa('other.example').bundle, sequence: 7n },
];
const good = bundleMapToJson(bundles);
const jwks = bundles.map(bundleToJwks);

function refuses(code: FaultCode, ...texts: string[]): void {
  for (const text of texts) {
    assert.throws(
      () => bundleMapFromJson(text),
      (error) => isFault(error, code) || assert.fail(`${text}: not ${code} but ${error}`),
    );
  }
}

test('TB-08: a map comes back as it was, each trust domain with its own bundle and no other', () => {
  const read = bundleMapFromJson(good);
  assert.deepEqual([...read.keys()], [shop, other]);
  assert.deepEqual(read.get(shop), { ...bundles[0], refreshHint: 0 });
  assert.deepEqual(read.get(other), bundles[1]);
});

test('TB-08: the trust domains are always there, be it as an empty object', () => {
  assert.equal(bundleMapToJson([]), '{"trust_domains":{}}\n');
  assert.equal(bundleMapFromJson('{"trust_domains":{}}').size, 0);
  refuses('IDN0303', '{}', '[]', 'null', '{"trust_domains":null}', '{"trust_domains":[]}', '', `${good}x`);
});

test('TB-08: a trust domain that stands twice is refused, however it is written, and so is any other member', () => {
  const [first = ''] = jwks;
  refuses('IDN0303', `{"trust_domains":{"shop.example":${first},"shop.example":${first}}}`);
  refuses('IDN0303', `{"trust_domains":{"shop.example":${first},"\\u0073hop.example":${first}}}`);
  refuses('IDN0303', `{"trust_domains":{},"trust_domains":{"shop.example":${first}}}`);
  refuses('IDN0303', `{"trust_domains":{"shop.example":{"keys":[],"keys":[]}}}`);
});

test('TB-08: names must be those of trust domains: no scheme, no upper case, none that is special to JavaScript', () => {
  const named = (name: string) => `{"trust_domains":{${JSON.stringify(name)}:${jwks[0]}}}`;
  refuses(
    'IDN0103',
    named('spiffe://shop.example'),
    named('Shop.example'),
    named('a/b'),
    named('shop.example\n'),
  );
  refuses('IDN0102', named(''));
  refuses('IDN0104', named('a'.repeat(256)));
  assert.deepEqual([...bundleMapFromJson(named('__proto__')).keys()], ['__proto__']);
});

test('TB-09: refresh hints of single bundles are left out when writing, and no matter when reading', () => {
  assert.equal(good.includes('refresh_hint'), false);
  const withHint = `{"trust_domains":{"shop.example":${jwks[0]}}}`;
  assert.ok(withHint.includes('"spiffe_refresh_hint":300'));
  assert.equal(bundleMapFromJson(withHint).get(shop)?.refreshHint, 0);
});

test('TB-10: a map is taken whole or not at all, and what is not in the next one is gone', () => {
  const broken = good.replace(
    '"keys":[{"kty":"EC","use":"x509-svid"',
    '"keys":[7,{"kty":"EC","use":"x509-svid"',
  );
  assert.notEqual(broken, good);
  refuses('IDN0303', broken);
  const next = bundleMapFromJson(bundleMapToJson(bundles.slice(1)));
  assert.deepEqual([next.has(shop), next.has(other)], [false, true]);
});

test('TB-05, TB-07: an entry without usable keys is a bundle that verifies nothing; unknown members are no matter', () => {
  const text = '{"x":1,"trust_domains":{"shop.example":{"keys":[{"kty":"x","use":"x509-svid"}],"y":2}}}';
  const bundle = bundleMapFromJson(text).get(shop);
  assert.deepEqual([bundle?.x509Authorities, bundle?.jwtAuthorities], [[], []]);
});

test('S31: a map of endless trust domains or text is refused', () => {
  const many = Array.from({ length: 1001 }, (_, i) => `"td-${i}":{"keys":[]}`).join(',');
  refuses('IDN0304', `{"trust_domains":{${many}}}`);
  refuses('IDN0304', ' '.repeat(16 * 1024 * 1024 + 1));
});
