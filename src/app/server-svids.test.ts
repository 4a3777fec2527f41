import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fakeKms } from '../../test/support/fake-kms.js';
import { recordingLog } from '../../test/support/log.js';
import {
  agentApi,
  attestedAgent,
  bundleOf,
  createEntries,
  dial,
  endOf,
  entryMessage,
  newKey,
  type RunningTestServer,
  runningServer,
  svidApi,
} from '../../test/support/running-server.js';
import { readPem } from '../base/pem.js';
import { makeCsr } from '../ca/csr.js';
import { memoryKeys } from '../ca/key-manager.js';
import { readCertificate } from '../spiffe/certificate.js';
import { pathOf } from '../spiffe/id.js';
import { verifyJwtSvid } from '../spiffe/verify-jwt-svid.js';
import { verifyX509Svid } from '../spiffe/verify-x509-svid.js';
import type { MessageOut } from '../wire/names.js';

const web = { trust_domain: 'shop.example', path: '/web' };

/** What somebody who goes by `orders` says to a token. */
async function verified(server: RunningTestServer, svid?: MessageOut<'spire.api.types.JWTSVID'> | null) {
  const bundle = await bundleOf(server);
  const claims = verifyJwtSvid(svid?.token ?? '', 'orders', { bundle: () => bundle }, Date.now());
  assert.equal(claims.id, `spiffe://${svid?.id?.trust_domain}${svid?.id?.path}`);
  assert.equal(claims.expiresAt, Number(svid?.expires_at) * 1000);
  assert.equal(claims.issuedAt, Number(svid?.issued_at) * 1000);
  return { claims, lasts: Number(svid?.expires_at) - Number(svid?.issued_at) };
}

test('an agent gets JWT-SVIDs for its entries, with all audiences and the lifetime and the ID that the entry says', async (t) => {
  const server = await runningServer(t);
  const { svid: agent, connection } = await attestedAgent(t, server);
  const under = pathOf(agent.id);
  const soon = Math.floor(Date.now() / 1000) + 30;
  const [plain = '', short = '', ending = ''] = await createEntries(
    server,
    entryMessage('/web', under, ['unix:uid:1'], { hint: 'inside' }),
    entryMessage('/short', under, ['unix:uid:2'], {
      jwt_svid_ttl: 60,
      additional_attributes: { jwt_svid_include_jti: true },
    }),
    entryMessage('/ending', under, ['unix:uid:3'], { expires_at: soon }),
  );
  const get = async (entry_id: string, ...audience: string[]) =>
    (await connection.unary(svidApi.NewJWTSVID, { entry_id, audience })).svid;
  const first = await get(plain, 'billing', 'orders');
  const { claims, lasts } = await verified(server, first);
  assert.deepEqual(
    [claims.id, claims.audience, lasts],
    ['spiffe://shop.example/web', ['billing', 'orders'], 300],
  );
  assert.equal(first?.hint, 'inside');
  assert.equal(claims.all.has('jti'), false);
  const second = await verified(server, await get(short, 'orders'));
  assert.equal(second.lasts, 60);
  assert.equal(typeof second.claims.all.get('jti'), 'string');
  assert.ok((await verified(server, await get(ending, 'orders'))).claims.expiresAt <= soon * 1000); // S9
});

test('S5, JS-07: no JWT-SVID for entries of others, which look like none, nor without an audience', async (t) => {
  const server = await runningServer(t);
  const { svid: agent, connection } = await attestedAgent(t, server);
  const [own = '', foreign = ''] = await createEntries(
    server,
    entryMessage('/web', pathOf(agent.id), ['unix:uid:1']),
    entryMessage('/orders', '/node/other', ['unix:uid:2']),
  );
  const end = (entry_id: string, audience: string[]) =>
    endOf(connection.unary(svidApi.NewJWTSVID, { entry_id, audience }));
  const unknown = await end('none', ['orders']);
  assert.equal(unknown.status, 'NOT_FOUND');
  const notOwn = await end(foreign, ['orders']);
  assert.deepEqual(notOwn, { ...unknown, text: unknown.text.replace('none', foreign) });
  assert.match((await end(own, [])).text, /^CAS0109/);
  assert.match((await end(own, ['orders', ''])).text, /^CAS0109/);
  assert.match(
    (
      await end(
        own,
        Array.from({ length: 5000 }, () => 'orders'),
      )
    ).text,
    /^CAS0110/,
  );
  await server.admin.unary(agentApi.BanAgent, {
    id: { trust_domain: 'shop.example', path: pathOf(agent.id) },
  });
  assert.equal((await end(own, ['orders'])).reason, 'AGENT_BANNED');
});

test('JS-12: a token for several audiences is logged as such, and no token is ever logged', async (t) => {
  const log = recordingLog();
  const server = await runningServer(t, { log });
  const mint = async (...audience: string[]) =>
    (await server.admin.unary(svidApi.MintJWTSVID, { id: web, audience })).svid?.token ?? '';
  const one = await mint('orders');
  const several = 'a JWT-SVID is good for several audiences at once';
  assert.equal(JSON.stringify(log.lines).includes(several), false);
  const two = await mint('orders', 'billing');
  const lines = JSON.stringify(log.lines);
  assert.ok(lines.includes(several));
  for (const token of [one, two]) assert.equal(lines.includes(token.split('.')[2] ?? token), false);
});

test('an operator mints an X.509-SVID for the SPIFFE ID and the DNS names in the CSR', async (t) => {
  const server = await runningServer(t);
  const key = newKey();
  const csr = makeCsr(key, 'spiffe://shop.example/web', ['web.shop.example', '*.web.shop.example']);
  const { svid } = await server.admin.unary(svidApi.MintX509SVID, { csr, ttl: 120 });
  const { id, notAfter } = verifyX509Svid(svid?.cert_chain ?? [], await bundleOf(server), Date.now());
  assert.equal(id, 'spiffe://shop.example/web');
  assert.ok(notAfter <= Date.now() + 120_000);
  assert.equal(Number(svid?.expires_at) * 1000, notAfter);
  const leaf = Buffer.from(svid?.cert_chain?.[0] ?? []);
  assert.ok(leaf.includes('web.shop.example') && leaf.includes('*.web.shop.example'));
  assert.deepEqual(
    readCertificate(leaf).publicKey,
    createPublicKey(key).export({ format: 'der', type: 'spki' }),
  );
  const { svid: usual } = await server.admin.unary(svidApi.MintX509SVID, { csr });
  assert.ok(Math.abs(Number(usual?.expires_at) - Date.now() / 1000 - 3600) < 60);
});

test('S3, S6, S7: what no entry could give is not minted, nor for a CSR that its key did not sign, nor for a key of an authority', async (t) => {
  const server = await runningServer(t);
  const key = newKey();
  const mint = (csr: Uint8Array, ttl = 0) => endOf(server.admin.unary(svidApi.MintX509SVID, { csr, ttl }));
  const refused = async (code: RegExp, csr: Uint8Array, ttl?: number) =>
    assert.match((await mint(csr, ttl)).text, code);
  for (const path of ['/spire', '/spire/server', '/spire/agent/join_token/x']) {
    await refused(/^REG0202/, makeCsr(key, `spiffe://shop.example${path}`));
    assert.match(
      (await endOf(server.admin.unary(svidApi.MintJWTSVID, { id: { ...web, path }, audience: ['orders'] })))
        .text,
      /^REG0202/,
    );
  }
  await refused(/^REG0201/, makeCsr(key, 'spiffe://other.example/web'));
  await refused(/^IDN0109/, makeCsr(key, 'spiffe://shop.example'));
  await refused(/^IDN0107/, makeCsr(key, 'spiffe://shop.example/a/../web'));
  await refused(/^CAS0205/, makeCsr(key));
  await refused(/^REG0205/, makeCsr(key, 'spiffe://shop.example/web', ['web..example']));
  await refused(/^SRV0201/, new Uint8Array());
  await refused(/^CAS0203/, Buffer.from('not a CSR'));
  await refused(/^CAS0103/, makeCsr(key, 'spiffe://shop.example/web'), -1);
  const csr = Buffer.from(makeCsr(key, 'spiffe://shop.example/web'));
  csr[csr.length - 1] = (csr.at(-1) ?? 0) ^ 1;
  await refused(/^CAS020[34]/, csr);
  const authorities = readPem(readFileSync(join(server.dataDir, 'authorities.pem'), 'utf8'));
  const ownKeys = authorities.filter(({ label }) => label === 'PRIVATE KEY');
  assert.equal(ownKeys.length, 2);
  for (const { der } of ownKeys) {
    const own = createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' });
    await refused(/^CAS0102/, makeCsr(own, 'spiffe://shop.example/web'));
  }
  const weak = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey;
  await refused(/^CAS0202/, makeCsr(weak, 'spiffe://shop.example/web'));
});

test('S33: only operators mint, and only agents ask for the JWT-SVIDs of entries', async (t) => {
  const server = await runningServer(t);
  const { connection } = await attestedAgent(t, server);
  const anonymous = dial(t, server);
  const csr = makeCsr(newKey(), 'spiffe://shop.example/web');
  for (const caller of [connection, anonymous]) {
    assert.equal((await endOf(caller.unary(svidApi.MintX509SVID, { csr }))).status, 'PERMISSION_DENIED');
    const minted = caller.unary(svidApi.MintJWTSVID, { id: web, audience: ['orders'] });
    assert.equal((await endOf(minted)).status, 'PERMISSION_DENIED');
  }
  for (const caller of [server.admin, anonymous]) {
    const asked = caller.unary(svidApi.NewJWTSVID, { entry_id: 'x', audience: ['orders'] });
    assert.equal((await endOf(asked)).status, 'PERMISSION_DENIED');
  }
});

test('WIT-SVIDs are unimplemented for those who could ask for them', async (t) => {
  const server = await runningServer(t);
  const { connection } = await attestedAgent(t, server);
  assert.equal((await endOf(connection.unary(svidApi.BatchNewWITSVID, {}))).status, 'UNIMPLEMENTED');
  assert.equal((await endOf(server.admin.unary(svidApi.MintWITSVID, {}))).status, 'UNIMPLEMENTED');
});

test('a whole server on a key management service: authorities, both kinds of SVID, a restart, and an outage', async (t) => {
  const kms = fakeKms();
  const first = await runningServer(t, { keys: kms });
  const mintBoth = async (server: RunningTestServer) => {
    const csr = makeCsr(newKey(), 'spiffe://shop.example/web');
    const { svid } = await server.admin.unary(svidApi.MintX509SVID, { csr });
    const jwt = await server.admin.unary(svidApi.MintJWTSVID, { id: web, audience: ['orders'] });
    return { chain: svid?.cert_chain ?? [], jwt: jwt.svid };
  };
  const { svid: agent, connection } = await attestedAgent(t, first);
  const [entry_id = ''] = await createEntries(first, entryMessage('/web', pathOf(agent.id), ['unix:uid:1']));
  const params = Array.from({ length: 40 }, () => ({ entry_id, csr: makeCsr(newKey()) }));
  const { results = [] } = await connection.unary(svidApi.BatchNewX509SVID, { params });
  const bundle = await bundleOf(first);
  for (const { svid } of results) verifyX509Svid(svid?.cert_chain ?? [], bundle, Date.now());
  assert.equal(results.length, 40);
  const before = await mintBoth(first);
  kms.away = new Error('ECONNREFUSED');
  const outage = endOf(first.admin.unary(svidApi.MintJWTSVID, { id: web, audience: ['orders'] }));
  assert.deepEqual([(await outage).status, (await outage).text.slice(0, 7)], ['UNAVAILABLE', 'CAS0106']);
  kms.away = undefined;
  connection.close();
  await first.close();

  const second = await runningServer(t, { keys: kms, dataDir: first.dataDir });
  const after = await mintBoth(second);
  const same = await bundleOf(second);
  assert.deepEqual([same.sequence, same.jwtAuthorities.length, kms.made.length], [bundle.sequence, 1, 2]);
  for (const { chain, jwt } of [before, after]) {
    verifyX509Svid(chain, same, Date.now());
    await verified(second, jwt);
  }
});

test('keys in memory: after a restart new authorities sign, and the bundle still verifies what the old ones signed', async (t) => {
  const first = await runningServer(t, { keys: memoryKeys });
  const mint = async (server: RunningTestServer) =>
    (await server.admin.unary(svidApi.MintJWTSVID, { id: web, audience: ['orders'] })).svid;
  const old = await mint(first);
  await first.close();
  const second = await runningServer(t, { keys: memoryKeys, dataDir: first.dataDir });
  await verified(second, old);
  await verified(second, await mint(second));
  assert.equal((await bundleOf(second)).jwtAuthorities.length, 2);
});
