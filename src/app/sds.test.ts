import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { testCa } from '../../test/support/ca.js';
import { temporaryFolder } from '../../test/support/children.js';
import { recordingLog } from '../../test/support/log.js';
import { followSecrets, type SecretMessage } from '../../test/support/running-agent.js';
import { readResponse, type SecretsResponse, sdsStream, secretType } from '../../test/support/sds-stream.js';
import { type Given, startTestAgent } from '../../test/support/test-agent.js';
import { until } from '../../test/support/until.js';
import { dialUnix } from '../transport/dial-unix.js';
import { decode, typeUrlOf } from '../wire/messages.js';
import { serviceDefinition } from '../wire/services.js';

// SDS as SPIRE's agent speaks it, row by row (SDS-01 to SDS-32), and where we do better (SDS+1 to SDS+13), on the wire. What an
// Envoy makes of it: test/envoy/sds.test.ts.

const ca = testCa('shop.example');
const partner = testCa('partner.example');
const [web, batch] = ['spiffe://shop.example/web', 'spiffe://shop.example/batch'];
const both = {
  svids: [ca.svid(web).svid, ca.svid(batch).svid],
  bundles: [ca.bundle, partner.bundle],
} as const;
const { FetchSecrets } = serviceDefinition('envoy.service.secret.v3.SecretDiscoveryService');

async function setUp(t: TestContext, given: Given = both, options?: Parameters<typeof startTestAgent>[3]) {
  const agent = await startTestAgent(t, join(temporaryFolder(t), 's'), given, options);
  const fetch = async (request: object) => {
    const connection = dialUnix(agent.socket);
    t.after(() => connection.close());
    return readResponse(await connection.unary(FetchSecrets, { type_url: secretType, ...request }));
  };
  return { agent, fetch, stream: sdsStream(t, agent.socket) };
}

/** The SPIFFE ID in a TlsCertificate. */
function idIn(secret: SecretMessage | undefined): string | undefined {
  const chain = secret?.tls_certificate?.certificate_chain?.inline_bytes;
  return chain && new X509Certificate(chain).subjectAltName?.replace('URI:', '');
}

/** The trust domains in a validation context with the SPIFFE validator. */
function domainsIn(secret: SecretMessage | undefined): string[] | undefined {
  const { name, typed_config } = secret?.validation_context?.custom_validator_config ?? {};
  if (name !== 'envoy.tls.cert_validator.spiffe') return undefined;
  const { value = Buffer.alloc(0) } = (typed_config ?? {}) as { value?: Buffer };
  const type = 'envoy.extensions.transport_sockets.tls.v3.SPIFFECertValidatorConfig';
  return (decode(type, value).trust_domains ?? []).map((domain) => domain.name ?? '');
}

/** That nothing more comes: whatever was on the way is here before the answer to another stream's question. */
async function silent(stream: { next(): Promise<SecretsResponse> }, ask: () => Promise<unknown>) {
  let came: SecretsResponse | undefined;
  void stream.next().then(
    (response) => {
      came = response;
    },
    () => undefined,
  );
  await ask();
  await sleep(50);
  assert.equal(came, undefined);
}

test('SDS-01: secrets are served on the workloads’ socket without any header', async (t) => {
  const { stream } = await setUp(t);
  stream.ask({ resource_names: ['default'] });
  assert.equal(idIn((await stream.next()).secrets.default), web);
});

test('SDS-02: a caller is attested once a stream, and for each Fetch', async (t) => {
  const { agent, fetch, stream } = await setUp(t);
  stream.ask({ resource_names: ['default'] });
  const first = await stream.next();
  stream.accept(first, 'default', 'ROOTCA');
  await stream.next();
  assert.equal(agent.attestations, 1);
  await fetch({ resource_names: ['default'] });
  await fetch({ resource_names: ['default'] });
  assert.equal(agent.attestations, 3);
});

test('SDS-03: nobody counts requests unless an operator wants it, as in SPIRE', async (t) => {
  const { fetch } = await setUp(t);
  const answers = await Promise.all(Array.from({ length: 50 }, () => fetch({ resource_names: ['default'] })));
  assert.ok(answers.every(({ names }) => names[0] === 'default'));
});

test('SDS-04, SDS-05: the first answer waits for the SVID, however long before it was asked for', async (t) => {
  const { agent, fetch, stream } = await setUp(t, { ...both, withheld: [web] });
  stream.ask({ resource_names: ['default'] });
  assert.deepEqual((await fetch({ resource_names: ['default'] })).names, [], 'SDS-31: a Fetch does not wait');
  agent.give({ withheld: [] });
  assert.equal(idIn((await stream.next()).secrets.default), web);
  const later = sdsStream(t, agent.socket);
  later.ask({ resource_names: ['default'] });
  assert.equal(idIn((await later.next()).secrets.default), web);
});

test('SDS-06: names are a set, empty ones are none, and no name at all means everything by its SPIFFE ID', async (t) => {
  const { fetch } = await setUp(t);
  const some = await fetch({ resource_names: ['', 'default', 'default', 'ROOTCA', ''] });
  assert.deepEqual(some.names, ['ROOTCA', 'default']);
  for (const resource_names of [[], ['']]) {
    const all = await fetch({ resource_names });
    const expected = ['spiffe://partner.example', 'spiffe://shop.example', batch, web];
    assert.deepEqual([...all.names].sort(), expected.sort());
  }
});

test('SDS-07, SDS-08, SDS-09, SDS-10, SDS+5: the own bundle goes by three names, one `ALL` with every trust domain, all in one request', async (t) => {
  const { fetch } = await setUp(t);
  const { secrets } = await fetch({ resource_names: ['spiffe://shop.example', 'ROOTCA', 'ALL'] });
  assert.deepEqual(domainsIn(secrets['spiffe://shop.example']), ['shop.example']);
  assert.deepEqual(domainsIn(secrets.ROOTCA), ['shop.example']);
  assert.deepEqual(domainsIn(secrets.ALL), ['partner.example', 'shop.example'], 'sorted');
});

test('SDS-08, SDS-09, SDS-13: the three names can be others, and where two are the same the own bundle comes before all', async (t) => {
  const names = { svid: 'mine', bundle: 'null', allBundles: 'ROOTCA' };
  const { fetch } = await setUp(t, both, { names, log: recordingLog() });
  const { secrets } = await fetch({ resource_names: ['mine', 'null', 'ROOTCA', 'default', 'ALL'] });
  assert.equal(idIn(secrets.mine), web);
  assert.deepEqual(domainsIn(secrets.null), ['shop.example']);
  assert.deepEqual(domainsIn(secrets.ROOTCA), ['partner.example', 'shop.example']);
  assert.deepEqual([secrets.default, secrets.ALL], [undefined, undefined]);
  const same = { svid: 'default', bundle: 'ALL', allBundles: 'ALL' };
  const other = await setUp(t, both, { names: same, log: recordingLog() });
  assert.deepEqual(domainsIn((await other.fetch({ resource_names: ['ALL'] })).secrets.ALL), ['shop.example']);
});

test('SDS-11: another trust domain’s bundle goes only to those whose entry federates with it', async (t) => {
  const { agent, fetch } = await setUp(t);
  const name = 'spiffe://partner.example';
  assert.deepEqual(domainsIn((await fetch({ resource_names: [name] })).secrets[name]), ['partner.example']);
  agent.give({ bundles: [ca.bundle] });
  assert.deepEqual((await fetch({ resource_names: [name] })).names, []);
});

test('SDS-12, SDS-13, SDS+5: SVIDs go by SPIFFE ID, each once, and the default one by `default` too, in one request', async (t) => {
  const { fetch } = await setUp(t, { ...both, svids: [...both.svids, ca.svid(web).svid] });
  const { secrets, names } = await fetch({ resource_names: ['default', web, batch] });
  assert.deepEqual(names, ['default', batch, web]);
  assert.deepEqual([idIn(secrets.default), idIn(secrets[web]), idIn(secrets[batch])], [web, web, batch]);
  assert.deepEqual(secrets.default?.tls_certificate, secrets[web]?.tls_certificate, 'the oldest of two');
});

test('SDS-14, SDS+4: a name that the caller may not have is left out and logged once, and comes the moment an entry appears', async (t) => {
  const log = recordingLog();
  const { agent, stream } = await setUp(t, { ...both, svids: [ca.svid(web).svid] }, { log });
  stream.ask({ node: { id: 'envoy-1' }, resource_names: ['default', batch] });
  const first = await stream.next();
  assert.deepEqual(first.names, ['default']);
  stream.accept(first, 'default', batch);
  agent.give({ svids: both.svids });
  const second = await stream.next();
  assert.equal(idIn(second.secrets[batch]), batch);
  const lines = log.lines.filter(({ sentence }) => /may not have/.test(sentence));
  assert.deepEqual(
    lines.map(({ fields: { node, name } }) => [node, name]),
    [['envoy-1', batch]],
  );
});

test('SDS-15: without an entry there is no SVID, and the own bundle for any local caller', async (t) => {
  const { fetch } = await setUp(t, { svids: [], bundles: both.bundles });
  const names = ['default', web, 'ROOTCA', 'spiffe://shop.example', 'spiffe://partner.example'];
  const asked = await fetch({ resource_names: names });
  assert.deepEqual(asked.names, ['ROOTCA', 'spiffe://shop.example']);
  assert.deepEqual((await fetch({})).names, ['spiffe://shop.example']);
});

test('SDS-16: the resources of a response come in the same order every time', async (t) => {
  const { fetch } = await setUp(t);
  const one = await fetch({ resource_names: [web, 'ALL', 'default'] });
  const other = await fetch({ resource_names: ['default', web, 'ALL'] });
  assert.deepEqual(one, other);
  assert.deepEqual(one.names, ['ALL', 'default', web]);
});

test('SDS-17, SDS+3: secrets have the type that was asked for; another type is refused', async (t) => {
  const { fetch } = await setUp(t);
  for (const type_url of [secretType, '']) {
    const { typeUrl, names } = await fetch({ type_url, resource_names: ['default'] });
    assert.deepEqual([typeUrl, names], [secretType, ['default']]);
  }
  const type_url = typeUrlOf('envoy.config.listener.v3.Listener');
  await assert.rejects(fetch({ type_url, resource_names: ['default'] }), /XDS0102/);
});

test('SDS-18, SDS-19, SDS-28, SDS+6: versions are hashes of content, equal for all, nonces are fresh, and what did not change is not sent', async (t) => {
  const { agent, fetch, stream } = await setUp(t);
  stream.ask({ resource_names: ['default'] });
  const first = await stream.next();
  const other = sdsStream(t, agent.socket);
  other.ask({ resource_names: ['default'] });
  assert.equal((await other.next()).version, first.version);
  stream.accept(first, 'default');
  agent.give({ bundles: [ca.bundle] });
  agent.give({ svids: [...both.svids] });
  const renewed = ca.svid(web).svid;
  agent.give({ svids: [renewed] });
  const second = await stream.next();
  assert.deepEqual(second.secrets.default, (await fetch({ resource_names: ['default'] })).secrets.default);
  assert.notEqual(second.version, first.version);
  assert.notEqual(second.nonce, first.nonce);
  stream.accept(second, 'default');
  agent.give({ svids: both.svids });
  assert.equal((await stream.next()).version, first.version, 'the same content again');
});

test('SDS-20: nothing is sent for an acknowledgement', async (t) => {
  const { fetch, stream } = await setUp(t);
  stream.ask({ resource_names: ['default'] });
  stream.accept(await stream.next(), 'default');
  await silent(stream, () => fetch({ resource_names: ['default'] }));
});

test('SDS-21: a request with a stale nonce, or none, changes nothing', async (t) => {
  const { fetch, stream } = await setUp(t);
  stream.ask({ resource_names: ['default'] });
  const first = await stream.next();
  stream.accept({ ...first, nonce: 'stale' }, 'ROOTCA');
  stream.ask({ resource_names: ['ALL'] });
  await silent(stream, () => fetch({ resource_names: ['default'] }));
});

test('SDS-22, SDS+7: a refusal is told, is not answered with the same again, and its names count', async (t) => {
  const { agent, fetch, stream } = await setUp(t);
  stream.ask({ resource_names: ['default'] });
  const { version, nonce } = await stream.next();
  const error_detail = { code: 3, message: 'no good' };
  stream.ask({ response_nonce: nonce, error_detail, resource_names: ['default', 'ROOTCA'] });
  const second = await stream.next();
  assert.deepEqual(second.names, ['ROOTCA'], 'the refused one is not sent again');
  assert.deepEqual(agent.nacks, ['no good']);
  stream.accept(second, 'default', 'ROOTCA');
  agent.give({ svids: [ca.svid(web).svid] });
  const third = await stream.next();
  assert.ok(third.secrets.default);
  assert.notEqual(third.version, version);
  stream.ask({
    ...{ version_info: second.version, response_nonce: third.nonce, error_detail },
    resource_names: ['default', 'ROOTCA'],
  });
  await silent(stream, () => fetch({ resource_names: ['default'] }));
});

test('SDS-23: names are compared as sets; new ones are answered at once', async (t) => {
  const { stream } = await setUp(t);
  stream.ask({ resource_names: ['default', 'ROOTCA'] });
  const first = await stream.next();
  stream.accept(first, 'ROOTCA', 'default');
  stream.accept(first, 'ROOTCA', 'default', 'ALL');
  const second = await stream.next();
  assert.deepEqual(second.names, ['ALL', 'ROOTCA', 'default']);
});

test('SDS-24, SDS-25, SDS-26, SDS-27: what the node says once holds for the stream; plain contexts have a CA and no validator', async (t) => {
  const { fetch, stream } = await setUp(t);
  const fields = { disable_spiffe_cert_validation: { stringValue: 'true' } };
  stream.ask({ node: { id: 'old', metadata: { fields } }, resource_names: ['ROOTCA'] });
  const first = await stream.next();
  const context = first.secrets.ROOTCA?.validation_context;
  assert.deepEqual(
    [context?.custom_validator_config, context?.trusted_ca?.inline_bytes?.toString()],
    [undefined, ca.bundlePem],
  );
  stream.accept(first, 'ROOTCA', 'spiffe://partner.example', 'default', 'ALL');
  const second = await stream.next();
  const plain = second.secrets['spiffe://partner.example']?.validation_context;
  assert.equal(plain?.trusted_ca?.inline_bytes?.toString(), partner.bundlePem);
  assert.equal(second.secrets.ALL, undefined, 'several trust domains are never one pool');
  assert.deepEqual(
    domainsIn((await fetch({ resource_names: ['ROOTCA'] })).secrets.ROOTCA),
    ['shop.example'],
    'without a node',
  );
  const version = { major_number: 1, minor_number: 17 };
  const ancient = await fetch({
    node: { user_agent_build_version: { version } },
    resource_names: ['ROOTCA'],
  });
  assert.equal(domainsIn(ancient.secrets.ROOTCA), undefined);
});

test('SDS-26: an operator can turn the validator off, and an Envoy’s metadata turn it on again', async (t) => {
  const { fetch } = await setUp(t, both, { plainContexts: true, log: recordingLog() });
  assert.equal(domainsIn((await fetch({ resource_names: ['ROOTCA'] })).secrets.ROOTCA), undefined);
  const fields = { disable_spiffe_cert_validation: { boolValue: false } };
  const wish = await fetch({ node: { metadata: { fields } }, resource_names: ['ROOTCA'] });
  assert.deepEqual(domainsIn(wish.secrets.ROOTCA), ['shop.example']);
});

test('SDS-27: an SVID is its chain without the root and its key in PKCS#8, inline, and nothing else', async (t) => {
  const chained = ca.intermediate().svid(web);
  const { fetch } = await setUp(t, { svids: [chained.svid], bundles: [ca.bundle] });
  const { default: secret } = (await fetch({ resource_names: ['default'] })).secrets;
  const { certificate_chain, private_key, ...more } = secret?.tls_certificate ?? {};
  assert.equal(certificate_chain?.inline_bytes?.toString(), chained.chainPem);
  assert.equal(private_key?.inline_bytes?.toString(), chained.keyPem);
  assert.ok(Object.values(more).every((value) => !value || (Array.isArray(value) && value.length === 0)));
});

test('SDS-29, SDS+4: an entry that goes while its name is asked for does not end the stream', async (t) => {
  const { agent, stream } = await setUp(t);
  stream.ask({ resource_names: ['default', batch] });
  const first = await stream.next();
  stream.accept(first, 'default', batch);
  agent.give({ svids: [ca.svid(web).svid] });
  const second = await stream.next();
  assert.ok(second.secrets.default);
  stream.accept(second, 'default', batch);
  agent.give({ svids: both.svids });
  assert.equal(idIn((await stream.next()).secrets[batch]), batch);
});

test('SDS-30, SDS+1: delta is served, and says what is gone', async (t) => {
  const { agent } = await setUp(t);
  const proxy = followSecrets(t, agent.socket, 'default', batch);
  await until(() => proxy.resources.size === 2);
  agent.give({ svids: [both.svids[0]] });
  await until(() => proxy.removed.has(batch));
  agent.give({ svids: both.svids });
  await until(() => proxy.resources.has(batch));
  assert.equal(proxy.responses, 4, 'what did not change was not sent again');
});

test('SDS+2: secrets come over an aggregated stream too', async (t) => {
  const { agent } = await setUp(t);
  const connection = dialUnix(agent.socket);
  t.after(() => connection.close());
  const ads = serviceDefinition('envoy.service.discovery.v3.AggregatedDiscoveryService');
  const stream = connection.stream(ads.StreamAggregatedResources);
  stream.send({ type_url: secretType, resource_names: ['default', 'ROOTCA'] });
  for await (const response of stream.responses) {
    assert.deepEqual(readResponse(response).names, ['ROOTCA', 'default']);
    break;
  }
});

test('SDS-31: a Fetch is answered with what there is, without a nonce, and by the hash of its content', async (t) => {
  const { fetch } = await setUp(t);
  const one = await fetch({ resource_names: ['default', 'nobody'] });
  assert.deepEqual([one.names, one.nonce], [['default'], '']);
  assert.equal((await fetch({ resource_names: ['default'] })).version, one.version);
});

test('SDS-32: a client that closes its half ends the stream in good order', async (t) => {
  const { stream } = await setUp(t);
  stream.ask({ resource_names: ['default'] });
  await stream.next();
  stream.end();
  await assert.rejects(stream.next(), /the stream ended with OK/);
});
