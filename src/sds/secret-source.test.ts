import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shop, standingClock, workloadWith } from '../../test/support/agent.js';
import { testCa } from '../../test/support/ca.js';
import { recordingLog } from '../../test/support/log.js';
import type { Bundle } from '../spiffe/bundle.js';
import type { X509Svid } from '../spiffe/x509-svid.js';
import { decode } from '../wire/messages.js';
import type { ClientNode } from '../xds/request.js';
import type { Answer } from '../xds/source.js';
import { type IdentityWatch, secretSource } from './secret-source.js';

const ca = testCa(shop);
const partner = testCa('partner.example');
const web = ca.svid('spiffe://shop.example/web').svid;
const batch = ca.svid('spiffe://shop.example/batch').svid;

type Known = ReturnType<IdentityWatch['current']>;

function opened(current: Known, workload = workloadWith('unix:uid:1000'), node?: ClientNode) {
  const state = { current, closed: 0, changed: 0, tell: () => {} };
  const source = secretSource({
    clock: standingClock(),
    log: recordingLog(),
    watcher: {
      watch(_, changed) {
        state.tell = changed;
        return { current: () => state.current, close: () => state.closed++ };
      },
    },
  });
  return { state, view: source.open(workload, () => state.changed++, node) };
}

const known = (svids: readonly X509Svid[], ...bundles: Bundle[]): Known => ({ svids, bundles });

function secretOf(answer: Answer) {
  assert.ok(typeof answer !== 'string', `the answer is ${answer}`);
  const { value } = decode('google.protobuf.Any', answer.any);
  return decode('envoy.extensions.transport_sockets.tls.v3.Secret', value ?? Buffer.alloc(0));
}

function trustDomainsOf(answer: Answer): (string | undefined)[] {
  const validator = secretOf(answer).validation_context?.custom_validator_config?.typed_config;
  assert.ok(validator && 'value' in validator);
  const config = decode(
    'envoy.extensions.transport_sockets.tls.v3.SPIFFECertValidatorConfig',
    validator.value as Buffer,
  );
  return (config.trust_domains ?? []).map(({ name }) => name);
}

test('`default` is the first SVID, and every SVID goes by its SPIFFE ID', () => {
  const { view } = opened(known([web, batch], ca.bundle));
  assert.equal(secretOf(view.resource('default')).name, 'default');
  assert.deepEqual(
    secretOf(view.resource('default')).tls_certificate,
    secretOf(view.resource(web.id)).tls_certificate,
  );
  assert.equal(secretOf(view.resource(batch.id)).name, batch.id);
});

test('`ROOTCA`, `ALL` and the ID of a trust domain give its bundle under the SPIFFE validator', () => {
  const { view } = opened(known([web], ca.bundle, partner.bundle));
  assert.deepEqual(trustDomainsOf(view.resource('ROOTCA')), ['shop.example']);
  assert.deepEqual(trustDomainsOf(view.resource('ALL')), ['partner.example', 'shop.example']);
  assert.deepEqual(trustDomainsOf(view.resource('spiffe://shop.example')), ['shop.example']);
  assert.deepEqual(trustDomainsOf(view.resource('spiffe://partner.example')), ['partner.example']);
});

test('what a caller may not have is absent and harms no other name', () => {
  const { view, state } = opened(known([web], ca.bundle));
  for (const name of [
    batch.id,
    'spiffe://partner.example',
    '',
    'DEFAULT',
    'default ',
    'spiffe://shop.example/',
  ]) {
    assert.equal(view.resource(name), 'absent', name);
  }
  assert.ok(typeof view.resource('default') === 'object');
  state.current = known([web, batch], ca.bundle);
  assert.ok(typeof view.resource(batch.id) === 'object', 'served the moment an entry appears');
});

test('a caller without any entry gets the own bundle and no SVID', () => {
  const { view } = opened(known([], ca.bundle));
  assert.equal(view.resource('default'), 'absent');
  assert.ok(typeof view.resource('ROOTCA') === 'object');
});

test('before the first sync nothing is said', () => {
  const early = opened('unknown');
  assert.equal(early.view.resource('default'), 'unknown');
  assert.equal(early.view.all(), 'unknown');
});

test('a secret that does not pass its checks is not sent, the others are', () => {
  const broken: X509Svid = { ...web, privateKey: batch.privateKey };
  const { view } = opened(known([broken], ca.bundle));
  assert.equal(view.resource('default'), 'unknown');
  assert.ok(typeof view.resource('ROOTCA') === 'object');
});

test('all secrets of a caller are its bundles and SVIDs, each once and by its ID', () => {
  const all = opened(known([web, batch], ca.bundle, partner.bundle)).view.all();
  assert.ok(all !== 'unknown');
  assert.deepEqual(
    all.map(({ name }) => name),
    ['spiffe://shop.example', 'spiffe://partner.example', web.id, batch.id],
  );
});

test('equal content has one version and one encoding for every caller, other content another', () => {
  const one = opened(known([web], ca.bundle, partner.bundle)).view;
  const other = opened(known([web], ca.bundle, partner.bundle)).view;
  for (const name of ['default', 'ROOTCA', 'ALL']) assert.equal(one.resource(name), other.resource(name));
  const less = opened(known([web], ca.bundle)).view;
  assert.notDeepEqual(one.resource('ALL'), less.resource('ALL'));
});

test('a view passes changes on and lets go when it is closed', () => {
  const { view, state } = opened(known([web], ca.bundle));
  state.tell();
  assert.equal(state.changed, 1);
  view.close();
  assert.equal(state.closed, 1);
});

test('a client that asks for contexts without the SPIFFE validator gets single bundles so, and never several in one pool', () => {
  const node = {
    metadata: { fields: { disable_spiffe_cert_validation: { boolValue: true } } },
  } as ClientNode;
  const { view } = opened(known([web], ca.bundle, partner.bundle), workloadWith('unix:uid:1'), node);
  for (const name of ['ROOTCA', 'spiffe://shop.example', 'spiffe://partner.example']) {
    const { custom_validator_config, trusted_ca } = secretOf(view.resource(name)).validation_context ?? {};
    assert.deepEqual([custom_validator_config, typeof trusted_ca], [undefined, 'object'], name);
  }
  assert.equal(view.resource('ALL'), 'absent');
  const other = opened(known([web], ca.bundle)).view;
  assert.deepEqual(trustDomainsOf(other.resource('ROOTCA')), ['shop.example']);
});

test('a secret that cannot be said holds a list of all back: leaving it out would say that it is gone', () => {
  const broken: X509Svid = { ...web, privateKey: batch.privateKey };
  assert.equal(opened(known([broken, batch], ca.bundle)).view.all(), 'unknown');
});
