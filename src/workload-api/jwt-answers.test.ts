import assert from 'node:assert/strict';
import { test } from 'node:test';
import { standingClock } from '../../test/support/agent.js';
import { testCa } from '../../test/support/ca.js';
import {
  all,
  audience,
  authority,
  bundleOf,
  curve,
  goodClaims,
  now,
  other,
  pairs,
  rsa,
  shop,
  tokenOf,
} from '../../test/support/jwt.js';
import { identityOf, servedWorkloadApi, viewOf } from '../../test/support/served-workload-api.js';
import { remoteStatus } from '../transport/grpc-client.js';

const ca = testCa(shop);
const web = ca.svid('spiffe://shop.example/web').svid;
const batch = ca.svid('spiffe://shop.example/batch').svid;
const clock = standingClock(now);
const own = bundleOf(shop, ...all);
const foreignKey = curve('P-256');
const foreign = bundleOf(other, authority('foreign', foreignKey));

const is = (status: string) => (error: unknown) =>
  remoteStatus(error) === status || assert.fail(`not ${status}: ${error}`);

/** Tokens as text that shows what was asked for. */
const token = async (entryId: string, audiences: readonly string[]) =>
  `${entryId} for ${audiences.join('+')}`;

test('WA-05: a request without audience, or to validate without token, is InvalidArgument', async (t) => {
  const { client } = await servedWorkloadApi(t, viewOf(own, [identityOf(web)]), { token, clock });
  await assert.rejects(client.fetchJwt([]), is('INVALID_ARGUMENT'));
  await assert.rejects(client.fetchJwt(['orders', '']), is('INVALID_ARGUMENT'));
  await assert.rejects(client.fetchJwt(['orders'], 'not-an-id'), is('INVALID_ARGUMENT'));
  await assert.rejects(client.validateJwt('', await tokenOf(goodClaims)), is('INVALID_ARGUMENT'));
  await assert.rejects(client.validateJwt(audience, ''), is('INVALID_ARGUMENT'));
});

test('WA-14: all audiences go into the token of every identity, or of the one that is asked for', async (t) => {
  const identities = [identityOf(web, 'main'), identityOf(batch), identityOf(batch, 'main')];
  const { client } = await servedWorkloadApi(t, viewOf(own, identities), { token, clock });
  assert.deepEqual(
    (await client.fetchJwt(['orders', 'billing'])).svids?.map((svid) => ({ ...svid })),
    [
      { spiffe_id: web.id, svid: 'web for orders+billing', hint: 'main' },
      { spiffe_id: batch.id, svid: 'batch for orders+billing' },
    ],
  );
  const one = await client.fetchJwt(['orders'], batch.id);
  assert.deepEqual(
    one.svids?.map(({ spiffe_id }) => spiffe_id),
    [batch.id],
  );
  await assert.rejects(client.fetchJwt(['orders'], 'spiffe://shop.example/admin'), is('PERMISSION_DENIED'));
});

test('an identity that is lost while the server signs is not handed out', async (t) => {
  const shown = { take: () => {} };
  const served = await servedWorkloadApi(t, viewOf(own, [identityOf(web), identityOf(batch)]), {
    clock,
    token: async (entryId) => {
      shown.take();
      return entryId;
    },
  });
  shown.take = () => served.show(viewOf(own, [identityOf(batch)]));
  const { svids } = await served.client.fetchJwt(['orders']);
  assert.deepEqual(
    svids?.map(({ svid }) => svid),
    ['batch'],
  );
});

test('WA-15: JWT bundles are plain key sets with key IDs, by the ID of their trust domain, the own one among them', async (t) => {
  const { client, show } = await servedWorkloadApi(t, viewOf({ ...ca.bundle, ...own }, [identityOf(web)]));
  const stream = client.jwtBundles();
  const keysOf = ({ bundles = {} }: { bundles?: Record<string, Buffer> }) =>
    Object.entries(bundles).map(([name, text]) => [
      name,
      JSON.parse(String(text)).keys.map(({ kid }: { kid: string }) => kid),
    ]);
  const first = await stream.next();
  assert.deepEqual(keysOf(first), [['spiffe://shop.example', Object.keys(pairs)]]);
  assert.doesNotMatch(String(first.bundles?.['spiffe://shop.example']), /x5c|"use"|spiffe_/);
  show(viewOf({ ...ca.bundle, ...own }, [identityOf(web)], foreign));
  assert.deepEqual(keysOf(await stream.next()), [
    ['spiffe://other.example', ['foreign']],
    ['spiffe://shop.example', Object.keys(pairs)],
  ]);
});

test('WA-16: a good token is answered with its subject and all its claims', async (t) => {
  const { client } = await servedWorkloadApi(t, viewOf(own, [identityOf(web)]), { clock });
  const claims = { ...goodClaims, deep: { list: [1, 'two', null, true] }, big: 2 ** 60 };
  const answer = await client.validateJwt(audience, await tokenOf(claims));
  assert.equal(answer.spiffe_id, web.id);
  const fields = answer.claims?.fields ?? {};
  assert.equal(fields.sub?.stringValue, web.id);
  assert.equal(fields.exp?.numberValue, goodClaims.exp);
  assert.equal(fields.big?.numberValue, 2 ** 60);
  assert.equal(fields.aud?.listValue?.values?.[0]?.stringValue, audience);
  const list = fields.deep?.structValue?.fields?.list?.listValue?.values ?? [];
  assert.deepEqual(
    list.map(({ kind }) => kind),
    ['numberValue', 'stringValue', 'nullValue', 'boolValue'],
  );
  const single = await client.validateJwt(audience, await tokenOf({ ...goodClaims, aud: audience }));
  assert.equal(single.claims?.fields?.aud?.listValue?.values?.length, 1);
});

test('WA-16: what any rule of JWT-SVIDs refuses is InvalidArgument', async (t) => {
  const { client } = await servedWorkloadApi(t, viewOf(own, [identityOf(web)]), { clock });
  const wrong = [
    'no.token',
    await tokenOf({ ...goodClaims, exp: goodClaims.exp - 600 }),
    await tokenOf({ ...goodClaims, aud: ['somebody else'] }),
    await tokenOf({ ...goodClaims, sub: 'web' }),
    await tokenOf(goodClaims, { alg: 'ES256', kid: 'p256', typ: 'wit+jwt' }),
    await tokenOf(goodClaims, { alg: 'RS256', kid: 'p256', typ: 'JWT' }, rsa),
  ];
  for (const svid of wrong) await assert.rejects(client.validateJwt(audience, svid), is('INVALID_ARGUMENT'));
});

test("WA-17, S32: a token is good by the bundle of its subject's own trust domain only, and without one not at all", async (t) => {
  const view = viewOf(own, [identityOf(web)]);
  const { client, show } = await servedWorkloadApi(t, view, { clock });
  const header = { alg: 'ES256', kid: 'foreign', typ: 'JWT' };
  const theirs = { ...goodClaims, sub: 'spiffe://other.example/api' };
  const good = await tokenOf(theirs, header, foreignKey);
  await assert.rejects(client.validateJwt(audience, good), is('INVALID_ARGUMENT'));
  show(viewOf(own, [identityOf(web)], foreign));
  assert.equal((await client.validateJwt(audience, good)).spiffe_id, theirs.sub);
  await assert.rejects(
    client.validateJwt(audience, await tokenOf(goodClaims, header, foreignKey)),
    is('INVALID_ARGUMENT'),
  );
  await assert.rejects(client.validateJwt(audience, await tokenOf(theirs)), is('INVALID_ARGUMENT'));
});

test('S32: of a foreign token only the claims that SPIFFE gives a meaning are passed on', async (t) => {
  const { client } = await servedWorkloadApi(t, viewOf(own, [identityOf(web)], foreign), { clock });
  const claims = { ...goodClaims, sub: 'spiffe://other.example/api', admin: true };
  const header = { alg: 'ES256', kid: 'foreign', typ: 'JWT' };
  const answer = await client.validateJwt(audience, await tokenOf(claims, header, foreignKey));
  assert.deepEqual(Object.keys(answer.claims?.fields ?? {}).sort(), ['aud', 'exp', 'sub']);
});

test('a caller without identity can validate tokens of the own trust domain: bundles are no secret', async (t) => {
  const { client } = await servedWorkloadApi(t, viewOf(own, []), { clock });
  assert.equal((await client.validateJwt(audience, await tokenOf(goodClaims))).spiffe_id, web.id);
});
