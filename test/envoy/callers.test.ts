import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type TestSvid, testCa } from '../support/ca.js';
import { temporaryFolder } from '../support/children.js';
import { fixedPolicy } from '../support/fixed-policy.js';
import { attempt, http1, http2Client, sessionOf, type TlsTarget } from '../support/http-client.js';
import { startShopEnvoy } from '../support/shop.js';
import { startTestAgent } from '../support/test-agent.js';

const ca = testCa('shop.example');
const web = 'spiffe://shop.example/web';
const orders = 'spiffe://shop.example/orders';
const evilWeb = 'spiffe://evil.example/web';

const agent = await startTestAgent({ after }, join(temporaryFolder({ after }), 'agent.sock'), {
  svids: [ca.svid(orders).svid],
  bundles: [ca.bundle],
  policies: [fixedPolicy(orders, [web, evilWeb])],
});
const hardened = await startShopEnvoy({ after }, 'inbound', { agent: agent.socket });
// The same bootstrap with TLS session resumption allowed, and that again with a guard that lets everybody pass: they show that
// the attack which the two stop is real.
const allowResumption = (text: string) =>
  text.replace(/(disable_state(less|ful)_session_resumption): true/g, '$1: false');
const resuming = await startShopEnvoy({ after }, 'inbound', { agent: agent.socket, change: allowResumption });
const unguarded = await startShopEnvoy({ after }, 'inbound', {
  agent: agent.socket,
  change: (text) =>
    allowResumption(text).replace(/principals:\n +- custom:(\n {34}.*)+/, 'principals: [{ any: true }]'),
});
for (const envoy of [hardened, resuming, unguarded]) await envoy.policy();
const port = await hardened.port('inbound');

const identityOf = (svid: TestSvid) => ({ cert: svid.chainPem, key: svid.keyPem });
const target = (svid?: TestSvid): TlsTarget => ({ port, ...(svid ? { identity: identityOf(svid) } : {}) });

test('a caller with a good SVID gets in, and the application learns who it is', async () => {
  for (const connect of [http1, http2Client]) {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const client = await connect({ ...target(ca.svid(web)), maxVersion });
      assert.equal((await client.send({ path: '/hello' })).status, 200);
      client.close();
      const { headers } = hardened.received.at(-1) ?? assert.fail();
      assert.match(String(headers['x-forwarded-client-cert']), /;URI=spiffe:\/\/shop\.example\/web$/);
    }
  }
  const line = await hardened.logged(({ path }) => path === '/hello');
  assert.deepEqual(
    [line.caller, line.service, line.method, line.code, line.rule],
    [web, orders, 'GET', 200, 'fixed:allow'],
  );
});

const evil = testCa('evil.example');
const intruder = 'spiffe://shop.example/intruder';
const minute = 60_000;

// `refused`: there is no connection at all. 403: the certificate is in order, and the policy says no.
const impostors: [what: string, answer: 'refused' | 403, svid?: TestSvid][] = [
  ['no certificate at all', 'refused'],
  ['two URI SANs, its own second', 403, ca.svid(web, { uris: [web, intruder] })],
  ['two URI SANs, its own first', 403, ca.svid(web, { uris: [intruder, web] })],
  ['the same URI SAN twice', 403, ca.svid(web, { uris: [web, web] })],
  ['two SPIFFE IDs in one URI SAN', 403, ca.svid(web, { uris: [`${web},${intruder}`] })],
  ['spiffe:// in a DNS SAN beside its own URI SAN', 403, ca.svid(intruder, { dns: [web] })],
  ['spiffe:// in a DNS SAN and no URI SAN', 'refused', ca.svid(web, { uris: [], dns: [web] })],
  ['spiffe:// in its subject and no URI SAN', 'refused', ca.svid(web, { uris: [], commonName: web })],
  ['a SPIFFE ID that differs in case', 403, ca.svid('spiffe://shop.example/Web')],
  ['a SPIFFE ID below the allowed one', 403, ca.svid(`${web}/x`)],
  ['its own SPIFFE ID', 403, ca.svid(intruder)],
  ['the SPIFFE ID from another CA of the same name', 'refused', testCa('shop.example').svid(web)],
  ['the SPIFFE ID from the CA of another trust domain', 'refused', evil.svid(web)],
  ['a SPIFFE ID of a trust domain that is not known', 'refused', evil.svid(evilWeb)],
  ['a certificate signed by an SVID', 'refused', ca.intermediate({ ca: false, uris: [orders] }).svid(web)],
  ['an expired certificate', 'refused', ca.svid(web, { notAfter: Date.now() - minute / 2 })],
  ['a certificate that is not valid yet', 'refused', ca.svid(web, { notBefore: Date.now() + 10 * minute })],
];

for (const [what, answer, svid] of impostors) {
  test(`a caller with ${what} never gets a 200, and its request never reaches the application`, async () => {
    const before = hardened.received.length;
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      assert.equal(await attempt({ ...target(svid), maxVersion }), answer);
    }
    assert.equal(hardened.received.length, before);
  });
}

test('a caller whose SVID has expired does not get in by a saved TLS session', async () => {
  const notAfter = Math.ceil(Date.now() / 1000) * 1000 + 3_000;
  const identity = identityOf(ca.svid(web, { notAfter }));
  const ports = { resuming: await resuming.port('inbound'), unguarded: await unguarded.port('inbound') };
  const callers: { caller: TlsTarget; answer: number | 'refused' }[] = [];
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const sessionAt = (port: number) => sessionOf({ port, identity, maxVersion });
    const session = await sessionAt(ports.unguarded);
    assert.ok(session, 'without the two switches a session is offered');
    callers.push({ caller: { port: ports.unguarded, identity, maxVersion, session }, answer: 200 });
    const other = await sessionAt(ports.resuming);
    assert.ok(other, 'without the two switches a session is offered');
    callers.push({ caller: { port: ports.resuming, identity, maxVersion, session: other }, answer: 403 });
    assert.equal(await sessionAt(port), undefined);
    callers.push({ caller: { port, identity, maxVersion, session }, answer: 'refused' });
  }
  await sleep(notAfter + 1_000 - Date.now());
  for (const { caller, answer } of callers) assert.equal(await attempt(caller), answer);
});
