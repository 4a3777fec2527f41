import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testCa } from '../../test/support/ca.js';
import { isFault } from '../base/faults/fault.js';
import type { FaultCode } from '../base/faults/table.js';
import type { Bundle } from '../spiffe/bundle.js';
import { type SpiffeId, workloadId } from '../spiffe/id.js';
import { decode } from '../wire/messages.js';
import type { CheckedSecret } from './secret.js';
import { plainValidationContext, spiffeValidationContext } from './validation-context.js';

const shop = testCa('shop.example');
const other = testCa('other.example');
const empty: Bundle = { ...testCa('empty.example').bundle, x509Authorities: [] };

function contextOf({ any }: CheckedSecret) {
  const { value } = decode('google.protobuf.Any', any);
  const secret = decode('envoy.extensions.transport_sockets.tls.v3.Secret', value ?? Buffer.alloc(0));
  assert.equal(secret.type, 'validation_context');
  return { name: secret.name, context: secret.validation_context ?? {} };
}

function trustDomainsOf(secret: CheckedSecret): [string | undefined, string][] {
  const { context } = contextOf(secret);
  assert.deepEqual(Object.keys(context), ['custom_validator_config']);
  const { name, typed_config } = context.custom_validator_config ?? {};
  assert.equal(name, 'envoy.tls.cert_validator.spiffe');
  const { trust_domains = [] } = decode(
    'envoy.extensions.transport_sockets.tls.v3.SPIFFECertValidatorConfig',
    typed_config?.value ?? Buffer.alloc(0),
  );
  return trust_domains.map((domain) => [domain.name, String(domain.trust_bundle?.inline_bytes)]);
}

function refuses(code: FaultCode, make: () => CheckedSecret): void {
  assert.throws(make, (error: Error) => isFault(error, code));
}

test('the plain form has the PEM of one bundle and no names', () => {
  assert.deepEqual(contextOf(plainValidationContext('ROOTCA', shop.bundle)), {
    name: 'ROOTCA',
    context: {
      trusted_ca: { inline_bytes: Buffer.from(shop.bundlePem), specifier: 'inline_bytes' },
    },
  });
});

test('the SPIFFE validator gets one bundle a trust domain, sorted, whatever the order they came in', () => {
  const one = spiffeValidationContext('ALL', [shop.bundle, other.bundle]);
  assert.deepEqual(trustDomainsOf(one), [
    ['other.example', other.bundlePem],
    ['shop.example', shop.bundlePem],
  ]);
  assert.equal(spiffeValidationContext('ALL', [other.bundle, shop.bundle]).version, one.version);
});

test('authorities are written once each and in one order', () => {
  const second = testCa('shop.example').bundle.x509Authorities;
  const merged = { ...shop.bundle, x509Authorities: [...shop.bundle.x509Authorities, ...second] };
  const turned = { ...shop.bundle, x509Authorities: [...merged.x509Authorities, ...second].reverse() };
  assert.equal(
    plainValidationContext('ROOTCA', merged).version,
    plainValidationContext('ROOTCA', turned).version,
  );
});

test('a tainted authority still verifies', () => {
  const x509Authorities = shop.bundle.x509Authorities.map(({ der }) => ({ der, tainted: true }));
  assert.equal(
    plainValidationContext('ROOTCA', { ...shop.bundle, x509Authorities }).version,
    plainValidationContext('ROOTCA', shop.bundle).version,
  );
});

test('a bundle without authorities is left out, and a context without any is refused', () => {
  const secret = spiffeValidationContext('ALL', [shop.bundle, empty]);
  assert.deepEqual(
    trustDomainsOf(secret).map(([name]) => name),
    ['shop.example'],
  );
  refuses('ENV0201', () => spiffeValidationContext('ALL', [empty]));
  refuses('ENV0201', () => spiffeValidationContext('ALL', []));
  refuses('ENV0201', () => plainValidationContext('ROOTCA', empty));
});

test('the same trust domain twice is refused', () => {
  refuses('ENV0203', () => spiffeValidationContext('ALL', [shop.bundle, testCa('shop.example').bundle]));
});

test('what is no authority is refused: a leaf, a CA without keyCertSign or key identifier, junk', () => {
  const bundleOf = (der: Uint8Array): Bundle => ({
    ...shop.bundle,
    x509Authorities: [{ der, tainted: false }],
  });
  const refused: [FaultCode, Uint8Array][] = [
    ['ENV0202', shop.svid('spiffe://shop.example/web').der],
    ['ENV0202', testCa('shop.example', { keyUsage: ['cRLSign'] }).certificate.der],
    ['ENV0202', testCa('shop.example', { keyId: false }).certificate.der],
    ['IDN0201', Buffer.from('junk')],
  ];
  for (const [code, der] of refused) {
    refuses(code, () => plainValidationContext('ROOTCA', bundleOf(der)));
    refuses(code, () => spiffeValidationContext('ALL', [other.bundle, bundleOf(der)]));
  }
});

test('SDS+9: an allow-list of callers is exact SPIFFE IDs, each once and sorted; an empty one names nobody who can exist', () => {
  const [web, orders] = ['/web', '/orders'].map((path) => workloadId(shop.trustDomain, path));
  assert.ok(web && orders);
  const matchers = (callers: readonly SpiffeId[] | undefined) =>
    contextOf(
      spiffeValidationContext('tcp', [shop.bundle], callers),
    ).context.match_typed_subject_alt_names?.map(({ san_type, matcher }) => [san_type, matcher?.exact]);
  assert.deepEqual(matchers([web, orders, web]), [
    ['URI', orders],
    ['URI', web],
  ]);
  assert.deepEqual(matchers([]), [['URI', 'nobody']]);
  assert.deepEqual(matchers(undefined) ?? [], []);
});
