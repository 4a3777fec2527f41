import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { calculateJwkThumbprint, decodeProtectedHeader, jwtVerify } from 'jose';
import { fakeKms } from '../../test/support/fake-kms.js';
import { isFault } from '../base/faults/fault.js';
import type { FaultCode } from '../base/faults/table.js';
import { parseTrustDomain, type SpiffeId, workloadId } from '../spiffe/id.js';
import { verifyJwtSvid } from '../spiffe/verify-jwt-svid.js';
import { jwtAuthoritiesOf } from './authority-set.js';
import { issueJwtSvid, type JwtSvidRequest } from './issue-jwt-svid.js';
import { createJwtSigner } from './jwt-signer.js';
import { newLocalKey } from './signing-key.js';

const trustDomain = parseTrustDomain('shop.example');
const web = workloadId(trustDomain, '/web');
const orders = 'spiffe://shop.example/orders';
const now = Date.UTC(2026, 5, 1, 12, 0, 0, 500);
const second = Math.floor(now / 1000) * 1000;
const signer = createJwtSigner({ ttlSeconds: 3600, now }, newLocalKey());
const publicKey = createPublicKey({ key: Buffer.from(signer.publicKey), format: 'der', type: 'spki' });

const request: JwtSvidRequest = { id: web, audience: [orders], ttlSeconds: 300, tokenId: false, now };
const issue = (overrides: Partial<JwtSvidRequest> = {}, by = signer) =>
  issueJwtSvid(trustDomain, by, { ...request, ...overrides });
const refuses = (code: FaultCode, overrides: Partial<JwtSvidRequest>) =>
  assert.rejects(
    issue(overrides),
    (error) => isFault(error, code) || assert.fail(`not ${code} but ${error}`),
  );
const verify = (token: string, at = now, by = signer) => {
  const bundle = {
    ...{ trustDomain, x509Authorities: [], sequence: 1n, refreshHint: 0 },
    jwtAuthorities: jwtAuthoritiesOf({ x509: [], jwt: [by] }),
  };
  return verifyJwtSvid(token, orders, { bundle: () => bundle }, at);
};

test('JS-01, JS-02, JS-06: a token is compact, with alg, kid and typ in its header, and says who and for whom and how long', async () => {
  const { token, id, issuedAt, expiresAt } = await issue();
  assert.deepEqual([id, issuedAt, expiresAt], [web, second, second + 300_000]);
  assert.deepEqual(decodeProtectedHeader(token), { alg: 'ES256', kid: signer.keyId, typ: 'JWT' });
  const { payload } = await jwtVerify(token, publicKey, { audience: orders, currentDate: new Date(now) });
  assert.deepEqual(payload, { sub: web, aud: [orders], iat: second / 1000, exp: second / 1000 + 300 });
});

test('JS-10: the key ID is the thumbprint of the key, so no two keys share one', async () => {
  assert.equal(signer.keyId, await calculateJwkThumbprint(publicKey.export({ format: 'jwk' }) as object));
});

test('JS-12: the token has an ID of its own where the entry wants one', async () => {
  const idOf = async () => verify((await issue({ tokenId: true })).token).all.get('jti');
  const ids = await Promise.all([idOf(), idOf()]);
  assert.ok(ids.every((id) => typeof id === 'string' && id.length > 20));
  assert.notEqual(ids[0], ids[1]);
  assert.equal(verify((await issue()).token).all.has('jti'), false);
});

test('WA-14: all audiences are in the token', async () => {
  const audience = ['a', orders, 'c'];
  assert.deepEqual(verify((await issue({ audience })).token).audience, audience);
});

test('JS-07: without an audience, or with an empty one, nothing is issued', async () => {
  for (const audience of [[], [''], [orders, '']]) await refuses('CAS0109', { audience });
});

test('JS-06, S3: only for workloads of the own trust domain', async () => {
  await refuses('CAS0101', { id: 'spiffe://other.example/web' as SpiffeId });
  await refuses('IDN0109', { id: 'spiffe://shop.example' as SpiffeId });
  await refuses('IDN0107', { id: 'spiffe://shop.example/a/../web' as SpiffeId });
});

test('S8: a token ends with its authority at the latest, and its key verifies it to the end', async () => {
  const property = fc.asyncProperty(
    fc.integer({ min: signer.notBefore, max: signer.notAfter - 1000 }),
    fc.integer({ min: 1, max: 10_000 }),
    async (at, ttlSeconds) => {
      const { token, issuedAt, expiresAt } = await issue({ now: at, ttlSeconds });
      assert.ok(issuedAt <= at && issuedAt > at - 1000);
      assert.ok(expiresAt > issuedAt && expiresAt <= signer.notAfter && expiresAt <= at + ttlSeconds * 1000);
      assert.equal(verify(token, at).expiresAt, expiresAt);
      assert.equal(verify(token, expiresAt - 1).id, web);
    },
  );
  await fc.assert(property, { numRuns: 100 });
});

test('S8: nothing is issued before an authority starts, in its last second, or after it has ended', async () => {
  for (const at of [signer.notBefore - 1, signer.notAfter, signer.notAfter + 1000]) {
    await refuses('CAS0104', { now: at });
  }
  for (const ttlSeconds of [0, -1, 0.5, Number.NaN]) await refuses('CAS0103', { ttlSeconds });
});

test('no token is issued that would be too large to be read', async () => {
  const many = (count: number) => Array.from({ length: count }, (_, i) => `${orders}/${i}`);
  assert.equal(verify((await issue({ audience: [orders, ...many(300)] })).token).audience.length, 301);
  await refuses('CAS0110', { audience: many(600) });
});

test('any audience comes back as it was asked for', async () => {
  const names = fc.array(fc.string({ unit: 'binary', minLength: 1 }), { maxLength: 5 });
  const property = fc.asyncProperty(names, async (others) => {
    const audience = [...others, orders];
    assert.deepEqual(verify((await issue({ audience })).token).audience, audience);
  });
  await fc.assert(property);
});

test('hundreds of signatures in a row verify: numbers with leading zeros are written in full', async () => {
  const tokens = await Promise.all(Array.from({ length: 600 }, () => issue({ tokenId: true })));
  for (const { token } of tokens) assert.equal(verify(token).id, web);
});

test('a key that is kept elsewhere signs tokens too', async () => {
  const kms = fakeKms();
  const remote = createJwtSigner({ ttlSeconds: 3600, now }, await kms.generate());
  assert.equal(verify((await issue({}, remote)).token, now, remote).id, web);
  kms.away = new Error('away');
  await assert.rejects(issue({}, remote), (error) => isFault(error, 'CAS0106'));
});
