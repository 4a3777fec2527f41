import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { testCa } from '../../test/support/ca.js';
import { followSecrets, runningAgent } from '../../test/support/running-agent.js';
import {
  attestedAgent,
  bundleApi,
  createEntries,
  demoNode,
  endOf,
  entryApi,
  entryMessage,
  joinToken,
  type RunningTestServer,
  runningServer,
  syncOnce,
} from '../../test/support/running-server.js';
import { until } from '../../test/support/until.js';
import { pathOf } from '../spiffe/id.js';
import { decode } from '../wire/messages.js';
import type { MessageIn } from '../wire/names.js';

const spiffeValidator = 'envoy.extensions.transport_sockets.tls.v3.SPIFFECertValidatorConfig';

type BundleMessage = MessageIn<'spire.api.types.Bundle'>;

const other = testCa('other.example');
const publicKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({
  format: 'der',
  type: 'spki',
});
const jwtKey = { public_key: publicKey, key_id: 'k1', expires_at: '1900000000', tainted: false };

function bundle(trust_domain: string, more: BundleMessage = {}): BundleMessage {
  const x509_authorities = [{ asn1: Buffer.from(other.certificate.der), tainted: false }];
  return { trust_domain, x509_authorities, refresh_hint: '300', sequence_number: '7', ...more };
}

const codesOf = (results: readonly { status?: { code?: number } | null }[] | undefined) =>
  (results ?? []).map(({ status }) => status?.code ?? 0);

async function set(server: RunningTestServer, ...bundles: BundleMessage[]): Promise<void> {
  const { results } = await server.admin.unary(bundleApi.BatchSetFederatedBundle, { bundle: bundles });
  assert.ok(codesOf(results).every((code) => code === 0));
}

test('a bundle is created once, replaced, changed as far as a mask says, and deleted', async (t) => {
  const { admin } = await runningServer(t);
  const create = (...bundles: BundleMessage[]) =>
    admin.unary(bundleApi.BatchCreateFederatedBundle, { bundle: bundles });
  const update = (changed: BundleMessage, input_mask?: MessageIn<'spire.api.types.BundleMask'>) =>
    admin.unary(bundleApi.BatchUpdateFederatedBundle, {
      bundle: [changed],
      ...(input_mask ? { input_mask } : {}),
    });
  const get = () => admin.unary(bundleApi.GetFederatedBundle, { trust_domain: 'other.example' });

  assert.deepEqual(codesOf((await update(bundle('other.example'))).results), [5]);
  const created = await create(
    bundle('other.example', { jwt_authorities: [jwtKey], sequence_number: '18446744073709551615' }),
    bundle('other.example'),
  );
  assert.deepEqual(codesOf(created.results), [0, 6]);
  const first = await get();
  assert.deepEqual(created.results?.[0]?.bundle, first);
  assert.deepEqual(first.jwt_authorities, [
    { public_key: publicKey, key_id: 'k1', expires_at: '1900000000' },
  ]);
  assert.equal(first.sequence_number, '18446744073709551615');

  await update(bundle('other.example', { sequence_number: '8' }), { sequence_number: true });
  assert.deepEqual(await get(), { ...first, sequence_number: '8' });
  await update(bundle('other.example', { sequence_number: '9' }));
  assert.deepEqual((await get()).jwt_authorities ?? [], []);
  const { results } = await admin.unary(bundleApi.BatchDeleteFederatedBundle, {
    trust_domains: ['other.example', 'other.example', 'Other', 'shop.example'],
  });
  assert.deepEqual(codesOf(results), [0, 5, 3, 3]);
  assert.equal(results?.[2]?.trust_domain, 'Other');
  assert.equal((await endOf(get())).status, 'NOT_FOUND');
});

test('authorities are added to the own bundle for everybody, and are kept over a restart', async (t) => {
  const first = await runningServer(t);
  const x509_authorities = [{ asn1: Buffer.from(other.certificate.der) }];
  const append = (request: MessageIn<'spire.api.server.bundle.v1.AppendBundleRequest'>) =>
    first.admin.unary(bundleApi.AppendBundle, request);
  for (const bad of [
    {},
    { x509_authorities: [{ asn1: Buffer.from('no') }] },
    { jwt_authorities: [{ ...jwtKey, key_id: '' }] },
    { x509_authorities, wit_authorities: [jwtKey] },
  ]) {
    assert.equal((await endOf(append(bad))).status, 'INVALID_ARGUMENT');
  }
  const before = await first.admin.unary(bundleApi.GetBundle, {});
  const { sequence_number } = await append({
    x509_authorities,
    jwt_authorities: [jwtKey],
    output_mask: { sequence_number: true },
  });
  assert.equal(Number(sequence_number), Number(before.sequence_number) + 1);
  await first.close();
  const second = await runningServer(t, { dataDir: first.dataDir });
  const after = await second.admin.unary(bundleApi.GetBundle, {});
  assert.equal(after.sequence_number, sequence_number);
  assert.deepEqual(after.x509_authorities, [...(before.x509_authorities ?? []), ...x509_authorities]);
  assert.deepEqual(after.jwt_authorities?.map(({ key_id }) => key_id).at(-1), 'k1');
  const { connection } = await attestedAgent(t, second);
  assert.deepEqual(await connection.unary(bundleApi.GetBundle, {}), after);
});

test('what is no bundle is refused, each with its reason; the good ones beside it are taken', async (t) => {
  const { admin } = await runningServer(t);
  const leaf = other.svid('spiffe://other.example/web').der;
  const { results } = await admin.unary(bundleApi.BatchSetFederatedBundle, {
    bundle: [
      bundle('shop.example'),
      bundle(''),
      bundle('UPPER.example'),
      bundle('other.example/path'),
      bundle('other.example', { x509_authorities: [{ asn1: Buffer.from('no') }] }),
      bundle('other.example', { x509_authorities: [{ asn1: Buffer.from(leaf) }] }),
      bundle('other.example', { jwt_authorities: [{ ...jwtKey, key_id: '' }] }),
      bundle('other.example', { jwt_authorities: [{ ...jwtKey, public_key: Buffer.from('no') }] }),
      bundle('other.example', { refresh_hint: '-1' }),
      bundle('other.example', { wit_authorities: [jwtKey] }),
      bundle('spiffe://other.example'),
    ],
  });
  assert.deepEqual(codesOf(results), [...Array<number>(10).fill(3), 0]);
  const { bundles = [] } = await admin.unary(bundleApi.ListFederatedBundles, {});
  assert.deepEqual(
    bundles.map(({ trust_domain }) => trust_domain),
    ['other.example'],
  );
});

test('bundles are counted, and listed page by page with what a mask says of them', async (t) => {
  const server = await runningServer(t);
  const names = ['c.example', 'a.example', 'b.example'];
  await set(server, ...names.map((name) => bundle(name)));
  // As in SPIRE, the server's own counts too.
  assert.equal((await server.admin.unary(bundleApi.CountBundles, {})).count, 4);
  const request = { page_size: 2, output_mask: { refresh_hint: true } };
  const first = await server.admin.unary(bundleApi.ListFederatedBundles, request);
  const rest = await server.admin.unary(bundleApi.ListFederatedBundles, {
    ...request,
    page_token: first.next_page_token ?? '',
  });
  assert.deepEqual(
    [...(first.bundles ?? []), ...(rest.bundles ?? [])],
    names.sort().map((trust_domain) => ({ trust_domain, refresh_hint: '300' })),
  );
  assert.equal(rest.next_page_token ?? '', '');
  assert.equal(
    (await endOf(server.admin.unary(bundleApi.ListFederatedBundles, { page_token: 'a.example' }))).status,
    'INVALID_ARGUMENT',
  );
});

test('an entry federates only with trust domains whose bundle is there, also when it is updated', async (t) => {
  const server = await runningServer(t);
  const entry = (federates_with: string[]) =>
    entryMessage('/web', '/node/demo', ['unix:uid:1'], { id: 'web', federates_with });
  const create = await server.admin.unary(entryApi.BatchCreateEntry, { entries: [entry(['other.example'])] });
  assert.deepEqual(codesOf(create.results), [3]);
  await set(server, bundle('other.example'));
  await createEntries(server, entry(['spiffe://other.example']));
  const update = await server.admin.unary(entryApi.BatchUpdateEntry, { entries: [entry(['third.example'])] });
  assert.deepEqual(codesOf(update.results), [3]);
  const { federates_with } = await server.admin.unary(entryApi.GetEntry, { id: 'web' });
  assert.deepEqual(federates_with, ['other.example']);
});

test('a bundle in use is kept, or taken out of its entries, or goes with them; agents see it', async (t) => {
  const server = await runningServer(t);
  const { svid, connection } = await attestedAgent(t, server);
  const remove = async (mode: 'RESTRICT' | 'DISSOCIATE' | 'DELETE') => {
    const request = { trust_domains: ['other.example'], mode };
    const { results } = await server.admin.unary(bundleApi.BatchDeleteFederatedBundle, request);
    return codesOf(results);
  };
  await set(server, bundle('other.example'));
  const federates_with = ['other.example'];
  await createEntries(
    server,
    entryMessage('/web', pathOf(svid.id), ['unix:uid:1'], { federates_with }),
    entryMessage('/orders', pathOf(svid.id), ['unix:uid:2']),
  );
  const seen = async () => {
    const { entries = [] } = await syncOnce(connection);
    return entries.map(({ spiffe_id, revision_number }) => [spiffe_id?.path, revision_number]);
  };
  const before = await seen();
  assert.deepEqual(await remove('RESTRICT'), [9]);
  assert.deepEqual(await seen(), before);
  assert.deepEqual(await remove('DISSOCIATE'), [0]);
  assert.notDeepEqual(await seen(), before);
  const { entries = [] } = await server.admin.unary(entryApi.ListEntries, {});
  assert.deepEqual(
    entries.flatMap((entry) => entry.federates_with ?? []),
    [],
  );

  await set(server, bundle('other.example'));
  const [web] = entries.filter(({ spiffe_id }) => spiffe_id?.path === '/web');
  await server.admin.unary(entryApi.BatchUpdateEntry, {
    entries: [{ id: web?.id ?? '', federates_with }],
    input_mask: { federates_with: true },
  });
  assert.deepEqual(await remove('DELETE'), [0]);
  assert.deepEqual(
    (await seen()).map(([path]) => path),
    ['/orders'],
  );
});

test('agents get the bundles of other trust domains, or are told that there is none; they are kept over a restart', async (t) => {
  const first = await runningServer(t);
  await set(first, bundle('other.example'));
  await first.close();
  const server = await runningServer(t, { dataDir: first.dataDir });
  const { connection } = await attestedAgent(t, server);
  const get = (trust_domain: string) => connection.unary(bundleApi.GetFederatedBundle, { trust_domain });
  const { x509_authorities } = await get('other.example');
  assert.deepEqual(x509_authorities, [{ asn1: Buffer.from(other.certificate.der) }]);
  assert.equal((await endOf(get('third.example'))).status, 'NOT_FOUND');
  assert.equal((await endOf(get('shop.example'))).status, 'INVALID_ARGUMENT');
  assert.equal((await endOf(get('__proto__'))).status, 'NOT_FOUND');
});

test('a workload has the bundle of each trust domain that its entry federates with, as it is now', async (t) => {
  const server = await runningServer(t);
  await set(server, bundle('other.example'), bundle('third.example'));
  const thisUser = `unix:uid:${process.geteuid?.()}`;
  const federates_with = ['other.example'];
  await createEntries(server, entryMessage('/web', '/node/demo', [thisUser], { federates_with }));
  const { settings } = await runningAgent(t, server, {
    joinToken: { token: await joinToken(server, demoNode) },
  });
  const [own, foreign, unrelated] = [
    'spiffe://shop.example',
    'spiffe://other.example',
    'spiffe://third.example',
  ];
  const client = followSecrets(t, settings.socket, own, foreign, unrelated);
  const trusted = () => {
    const { value } =
      client.resources.get(foreign)?.validation_context?.custom_validator_config?.typed_config ?? {};
    const { trust_domains = [] } = decode(spiffeValidator, value ?? Buffer.alloc(0));
    return trust_domains.map(({ name, trust_bundle }) => `${name} ${trust_bundle?.inline_bytes}`);
  };
  const has = (pem: string) => trusted().join() === `other.example ${pem}`;
  await until(() => has(other.certificate.pem) && client.removed.has(unrelated));
  const renewed = testCa('other.example').certificate;
  await set(server, bundle('other.example', { x509_authorities: [{ asn1: Buffer.from(renewed.der) }] }));
  await until(() => has(renewed.pem));
  assert.equal(client.ended, undefined);
});
