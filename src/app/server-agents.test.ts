import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testCa } from '../../test/support/ca.js';
import { recordingLog } from '../../test/support/log.js';
import {
  agentApi,
  attest,
  attestedAgent,
  bundleApi,
  createEntries,
  demoNode,
  dial,
  endOf,
  entryApi,
  entryMessage,
  joinToken,
  newKey,
  runningServer,
  svidApi,
  svidOf,
  syncOnce,
} from '../../test/support/running-server.js';
import { bundleFromMessage } from '../agent/server-messages.js';
import { makeCsr } from '../ca/csr.js';
import { bundleSha256 } from '../spiffe/bundle-pem.js';
import { readCertificate } from '../spiffe/certificate.js';
import { pathOf } from '../spiffe/id.js';
import { verifyX509Svid } from '../spiffe/verify-x509-svid.js';

test('an agent attests, syncs its entries, gets SVIDs for them and renews its own', async (t) => {
  const server = await runningServer(t);
  const token = await joinToken(server, demoNode);
  await createEntries(
    server,
    entryMessage('/web', '/node/demo', ['unix:uid:1'], { dns_names: ['web'], x509_svid_ttl: 600, hint: 'h' }),
    entryMessage('/orders', '/node/other', ['unix:uid:2']),
  );
  const anonymous = dial(t, server);
  const svid = await attest(anonymous, token);
  assert.equal(pathOf(svid.id), `/spire/agent/join_token/${token}`);
  const bundle = bundleFromMessage(await anonymous.unary(bundleApi.GetBundle, {}));
  assert.equal(bundleSha256(bundle), server.bundleSha256());
  assert.equal(bundle.sequence, 1n);
  verifyX509Svid(svid.chain, bundle, Date.now());

  const connection = dial(t, server, svid);
  const { entries = [], more } = await syncOnce(connection);
  assert.equal(more, undefined);
  const web = entries.find((entry) => entry.spiffe_id?.path === '/web');
  assert.deepEqual(entries.map((entry) => entry.spiffe_id?.path).sort(), ['/node/demo', '/web']);
  assert.equal(web?.parent_id, undefined);

  const key = newKey();
  // What the CSR asks for is nobody's business but the entry's (S4).
  const csr = makeCsr(key, 'spiffe://shop.example/admin');
  const { results } = await connection.unary(svidApi.BatchNewX509SVID, {
    params: [{ entry_id: web?.id ?? '', csr }],
  });
  assert.equal(results?.[0]?.status?.code ?? 0, 0);
  assert.equal(results?.[0]?.svid?.hint, 'h');
  const issued = verifyX509Svid(results?.[0]?.svid?.cert_chain ?? [], bundle, Date.now());
  assert.equal(issued.id, 'spiffe://shop.example/web');
  assert.ok(issued.notAfter - Date.now() <= 600_000);

  const renewedKey = newKey();
  const renewed = await connection.unary(agentApi.RenewAgent, { params: { csr: makeCsr(renewedKey) } });
  const next = svidOf(renewed.svid, renewedKey);
  assert.equal(next.id, svid.id);
  // Both serve until the new one is shown for the first time; then the old one is refused (S12).
  assert.equal((await endOf(syncOnce(connection))).status, 'OK');
  assert.equal((await endOf(syncOnce(dial(t, server, next)))).status, 'OK');
  const { status, reason } = await endOf(syncOnce(connection));
  assert.deepEqual([status, reason], ['PERMISSION_DENIED', 'AGENT_NOT_ACTIVE']);
});

for (const keys of ['keys of their own', 'one key']) {
  test(`of 32 attempts at once with one join token and ${keys}, one succeeds (S10)`, async (t) => {
    const server = await runningServer(t);
    const token = await joinToken(server);
    const shared = newKey();
    const connections = Array.from({ length: 4 }, () => dial(t, server));
    const ends = await Promise.all(
      Array.from({ length: 32 }, (_, i) => {
        const connection = connections[i % 4] ?? dial(t, server);
        return endOf(attest(connection, token, keys === 'one key' ? shared : newKey()));
      }),
    );
    assert.equal(ends.filter(({ status }) => status === 'OK').length, 1);
    assert.equal(ends.filter(({ text }) => text.startsWith('ATT0201')).length, 31);
    const { agents } = await server.admin.unary(agentApi.ListAgents, {});
    assert.equal(agents?.length, 1);
  });
}

test('of 32 attempts at once by agents that hang up as soon as they have their SVID, one succeeds (S10)', async (t) => {
  const server = await runningServer(t);
  const token = await joinToken(server);
  const connection = dial(t, server);
  const attempt = async () => {
    const stream = connection.stream(agentApi.AttestAgent);
    const data = { type: 'join_token', payload: Buffer.from(token) };
    stream.send({ params: { data, params: { csr: makeCsr(newKey()) } } });
    const { done } = await stream.responses[Symbol.asyncIterator]().next();
    // As SPIRE's agents do.
    stream.cancel();
    assert.ok(!done);
  };
  const ends = await Promise.all(Array.from({ length: 32 }, () => endOf(attempt())));
  assert.equal(ends.filter(({ status }) => status === 'OK').length, 1);
  assert.match((await endOf(attempt())).text, /^ATT0201/);
});

test('an attempt that gets no SVID does not use the join token up', async (t) => {
  const server = await runningServer(t);
  const token = await joinToken(server);
  const payload = Buffer.from(token);
  const bad = makeCsr(newKey());
  bad[bad.length - 1] = (bad[bad.length - 1] ?? 0) ^ 1;
  const stream = dial(t, server).stream(agentApi.AttestAgent);
  stream.send({ params: { data: { type: 'join_token', payload }, params: { csr: bad } } });
  const refused = await endOf(drained(stream));
  assert.match(refused.text, /^CAS0204/); // S6
  const svid = await attest(dial(t, server), token);
  assert.equal((await endOf(syncOnce(dial(t, server, svid)))).status, 'OK');
  assert.match((await endOf(attest(dial(t, server), token))).text, /^ATT0201/);
});

test('a join token that was shown by an agent that went away can be shown again', async (t) => {
  const server = await runningServer(t);
  const token = await joinToken(server);
  const cut = dial(t, server).stream(agentApi.AttestAgent);
  cut.send({
    params: {
      data: { type: 'join_token', payload: Buffer.from(token) },
      params: { csr: makeCsr(newKey()) },
    },
  });
  cut.cancel();
  await assert.rejects(drained(cut));
  // The server may still be busy with the first attempt.
  let end = await endOf(attest(dial(t, server), token));
  for (let i = 0; i < 50 && end.status !== 'OK'; i++) end = await endOf(attest(dial(t, server), token));
  assert.equal(end.status, 'OK');
});

test('unknown, expired, foreign and malformed join tokens get one and the same answer (S2, S11)', async (t) => {
  let now = Date.now();
  const server = await runningServer(t, { clock: { now: () => now } });
  const expired = await joinToken(server, { ttl: 1 });
  now += 1000;
  const texts = new Set<string>();
  for (const token of [expired, 'f'.repeat(48), '../../server', `${'a'.repeat(40)}/b`, 'ä'.repeat(30)]) {
    const { status, text } = await endOf(attest(dial(t, server), token));
    assert.equal(status, 'INVALID_ARGUMENT');
    texts.add(text);
  }
  assert.equal(texts.size, 1);
  assert.ok(!JSON.stringify(await server.admin.unary(agentApi.ListAgents, {})).includes('server'));
});

test('no log has a join token in it, neither while it can be used nor after (S11)', async (t) => {
  const log = recordingLog();
  const server = await runningServer(t, { log });
  const token = await joinToken(server);
  await attest(dial(t, server), token);
  await endOf(attest(dial(t, server), token));
  assert.ok(log.lines.some(({ sentence }) => sentence === 'an agent was attested'));
  assert.ok(!JSON.stringify(log.lines).includes(token));
});

test('a join token needs a lifetime, and one that is chosen must be long and plain', async (t) => {
  const server = await runningServer(t);
  const make = (request: object) => endOf(server.admin.unary(agentApi.CreateJoinToken, request));
  assert.match((await make({})).text, /^SRV0402/);
  assert.match((await make({ ttl: 60, token: 'short' })).text, /^ATT0203/);
  assert.match((await make({ ttl: 60, token: `${'a'.repeat(30)}/../x` })).text, /^ATT0203/);
  const reserved = { trust_domain: 'shop.example', path: '/spire/server' };
  assert.match((await make({ ttl: 60, agent_id: reserved })).text, /^REG0202/);
  assert.equal((await make({ ttl: 60, token: 'a'.repeat(30) })).status, 'OK');
  assert.match((await make({ ttl: 60, token: 'a'.repeat(30) })).text, /^SRV0403/);
  assert.match(await joinToken(server), /^[0-9a-f]{48}$/);
});

test('a ban counts at once on a connection that is open, and a deleted agent may come back (S12)', async (t) => {
  const server = await runningServer(t);
  const { svid, connection } = await attestedAgent(t, server);
  const id = { trust_domain: 'shop.example', path: pathOf(svid.id) };
  const open = connection.stream(entryApi.SyncAuthorizedEntries);
  open.send({ output_mask: { revision_number: true } });
  const answers = open.responses[Symbol.asyncIterator]();
  await answers.next();
  await server.admin.unary(agentApi.BanAgent, { id });
  open.send({ ids: ['anything'] });
  const banned = ['PERMISSION_DENIED', 'AGENT_BANNED'];
  assert.deepEqual(await refusalOf(answers.next()), banned);
  assert.deepEqual(await refusalOf(syncOnce(connection)), banned);
  const renewal = connection.unary(agentApi.RenewAgent, { params: { csr: makeCsr(newKey()) } });
  assert.deepEqual(await refusalOf(renewal), banned);
  assert.equal((await server.admin.unary(agentApi.GetAgent, { id })).banned, true);
  await server.admin.unary(agentApi.DeleteAgent, { id });
  assert.deepEqual(await refusalOf(syncOnce(connection)), ['PERMISSION_DENIED', 'AGENT_NOT_ATTESTED']);
});

test('an entry of another agent and one that does not exist get the same answer (S5)', async (t) => {
  const server = await runningServer(t);
  const { svid: other } = await attestedAgent(t, server);
  const [entry_id = ''] = await createEntries(server, entryMessage('/web', pathOf(other.id), ['unix:uid:1']));
  const { connection } = await attestedAgent(t, server);
  const csr = makeCsr(newKey());
  const params = [
    { entry_id, csr },
    { entry_id: 'nothing', csr },
  ];
  const { results = [] } = await connection.unary(svidApi.BatchNewX509SVID, { params });
  assert.deepEqual(
    results.map(({ status }) => status?.code),
    [5, 5],
  );
  const texts = results.map(({ status }) => status?.message);
  assert.equal(texts[0]?.replaceAll(entry_id, 'ID'), texts[1]?.replaceAll('nothing', 'ID'));
});

test('of a batch each member is answered on its own and in order', async (t) => {
  const server = await runningServer(t);
  const { svid, connection } = await attestedAgent(t, server);
  const [web = '', orders = '', past = ''] = await createEntries(
    server,
    entryMessage('/web', pathOf(svid.id), ['unix:uid:1']),
    entryMessage('/orders', pathOf(svid.id), ['unix:uid:2']),
    entryMessage('/past', pathOf(svid.id), ['unix:uid:3'], { expires_at: 1 }), // S9
  );
  const csr = makeCsr(newKey());
  const params = [
    { entry_id: orders, csr },
    { entry_id: web, csr: Buffer.from('no CSR') },
    { entry_id: web, csr },
    { entry_id: past, csr },
  ];
  const { results = [] } = await connection.unary(svidApi.BatchNewX509SVID, { params });
  assert.deepEqual(
    results.map(({ status, svid: issued }) => [status?.code ?? 0, issued?.id?.path]),
    [
      [0, '/orders'],
      [3, undefined],
      [0, '/web'],
      [5, undefined],
    ],
  );
  const tooMany = { params: Array.from({ length: 1001 }, () => ({ entry_id: 'x' })) };
  assert.match((await endOf(connection.unary(svidApi.BatchNewX509SVID, tooMany))).text, /^SRV0202/); // S34
});

test('a certificate that does not verify is refused everywhere, also where none is needed (S15)', async (t) => {
  const server = await runningServer(t);
  const { svid } = await attestedAgent(t, server);
  const foreign = testCa('shop.example').svid(svid.id).svid;
  const other = testCa('other.example').svid('spiffe://other.example/spire/agent/join_token/x').svid;
  for (const presented of [foreign, other]) {
    const connection = dial(t, server, presented);
    for (const call of [() => connection.unary(bundleApi.GetBundle, {}), () => syncOnce(connection)]) {
      assert.equal((await endOf(call())).status, 'UNAUTHENTICATED');
    }
  }
});

test('an agent whose SVID has expired is told so', async (t) => {
  let now = Date.now();
  const server = await runningServer(t, { clock: { now: () => now } });
  const { connection } = await attestedAgent(t, server);
  now += 3_601_000;
  assert.deepEqual(await refusalOf(syncOnce(connection)), ['PERMISSION_DENIED', 'AGENT_EXPIRED']);
});

test('what an agent says its version is, is kept', async (t) => {
  const server = await runningServer(t);
  const { svid, connection } = await attestedAgent(t, server);
  await connection.unary(agentApi.PostStatus, { current_bundle_serial: '1', agent_version: '1.2.3\u0007' });
  const id = { trust_domain: 'shop.example', path: pathOf(svid.id) };
  const agent = await server.admin.unary(agentApi.GetAgent, { id });
  assert.equal(agent.agent_version, '1.2.3');
  const serial = readCertificate(svid.chain[0] ?? new Uint8Array()).serial;
  assert.equal(agent.x509svid_serial_number, BigInt(`0x${serial}`).toString());
});

test('after a restart agents, entries and authorities are the same', async (t) => {
  const first = await runningServer(t);
  const { svid } = await attestedAgent(t, first);
  await createEntries(first, entryMessage('/web', pathOf(svid.id), ['unix:uid:1']));
  const sha256 = first.bundleSha256();
  await first.close();
  const second = await runningServer(t, { dataDir: first.dataDir });
  assert.equal(second.bundleSha256(), sha256);
  const { entries } = await syncOnce(dial(t, second, svid));
  assert.deepEqual(
    entries?.map((entry) => entry.spiffe_id?.path),
    ['/web'],
  );
  const bundle = bundleFromMessage(await dial(t, second).unary(bundleApi.GetBundle, {}));
  assert.equal(bundle.sequence, 1n);
});

async function drained(stream: { responses: AsyncIterable<unknown> }): Promise<void> {
  for await (const _ of stream.responses);
}

/** How a call of an agent was refused: the status, and what the agent is told to make of it. */
async function refusalOf(call: Promise<unknown>): Promise<(string | undefined)[]> {
  const { status, reason } = await endOf(call);
  return [status, reason];
}
