import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { test } from 'node:test';
import {
  all,
  audience,
  authority,
  base64,
  bundleOf,
  curve,
  goodClaims,
  goodHeader,
  keyOfAlgorithm,
  now,
  other,
  type Pair,
  pairs,
  rawToken,
  refuses,
  seconds,
  shop,
  sourceOf,
  tokenOf,
  verify,
  web,
} from '../../test/support/jwt.js';
import type { JwtAuthority } from './bundle.js';
import { bundleFromJwks } from './bundle-jwks.js';

test('JS-03: all nine algorithms are accepted, with a key of their own kind, as another implementation signs them', async () => {
  for (const [alg, kid] of Object.entries(keyOfAlgorithm)) {
    const claims = verify(await tokenOf(goodClaims, { alg, kid, typ: 'JWT' }));
    assert.equal(claims.id, web);
    assert.deepEqual(claims.audience, [audience]);
    assert.deepEqual([claims.issuedAt, claims.expiresAt], [now, now + 300_000]);
    assert.equal(claims.all.get('sub'), web);
  }
});

test('JS-03: an algorithm never verifies with a key of another kind, whatever key ID the token names', async () => {
  for (const [alg, own] of Object.entries(keyOfAlgorithm)) {
    for (const kid of Object.keys(pairs).filter((name) => name !== own)) {
      refuses('IDN0405', await tokenOf(goodClaims, { alg, kid }));
    }
  }
});

test('JS-03: a public key is no shared secret (algorithm confusion)', () => {
  const secrets = Object.values(pairs).flatMap(({ publicKey }) => [
    publicKey.export({ format: 'pem', type: 'spki' }),
    publicKey.export({ format: 'der', type: 'spki' }),
    JSON.stringify(publicKey.export({ format: 'jwk' })),
  ]);
  for (const secret of secrets) {
    for (const alg of ['HS256', 'RS256', 'ES256', 'PS256']) {
      const signed = `${base64(JSON.stringify({ alg }))}.${base64(JSON.stringify(goodClaims))}`;
      const mac = createHmac('sha256', secret).update(signed).digest('base64url');
      refuses(alg === 'HS256' ? 'IDN0402' : 'IDN0405', `${signed}.${mac}`);
    }
  }
});

test('JS-03: weak RSA keys and keys of other kinds in a bundle verify nothing, and do not disturb the others', async () => {
  const weak: Pair = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const ed: Pair = generateKeyPairSync('ed25519');
  const garbage: JwtAuthority = { ...authority('p256', ed), publicKey: randomBytes(40) };
  const from = sourceOf(bundleOf(shop, garbage, authority('weak', weak), authority('ed', ed), ...all));
  assert.equal(verify(await tokenOf(goodClaims), now, from).id, web);
  const token = `${base64('{"alg":"RS256"}')}.${base64(JSON.stringify(goodClaims))}`;
  const signature = sign('sha256', Buffer.from(token), weak.privateKey).toString('base64url');
  refuses('IDN0405', `${token}.${signature}`, now, from);
});

test('JS-05: a token without key ID is valid when any JWT authority of its trust domain signed it', async () => {
  for (const alg of Object.keys(keyOfAlgorithm))
    assert.equal(verify(await tokenOf(goodClaims, { alg })).id, web);
  const more = Array.from({ length: 5 }, (_, i) => authority(`more-${i}`, curve('P-256')));
  const from = sourceOf(bundleOf(shop, ...more, authority('last', pairs.p256)));
  assert.equal(verify(await tokenOf(goodClaims, {}), now, from).id, web);
  refuses('IDN0405', await tokenOf(goodClaims, {}, curve('P-256')), now, from);
});

test('JS-05: a key ID that a token has counts: another key is not tried', async () => {
  refuses('IDN0405', await tokenOf(goodClaims, { kid: 'unknown' }));
  refuses('IDN0405', await tokenOf(goodClaims, { kid: 'P256' }));
  for (const kid of ['', null, 1, []]) {
    refuses('IDN0401', rawToken(JSON.stringify({ alg: 'ES256', kid }), JSON.stringify(goodClaims)));
  }
  // Nothing says that the key IDs of a bundle are unique.
  const from = sourceOf(bundleOf(shop, authority('p256', curve('P-256')), authority('p256', pairs.p256)));
  assert.equal(verify(await tokenOf(goodClaims), now, from).id, web);
});

test('JS-07: the audience is one name or several, never none, and ours is among them exactly', async () => {
  const withAudience = (aud: unknown) =>
    rawToken(JSON.stringify(goodHeader), JSON.stringify({ ...goodClaims, aud }));
  for (const aud of [audience, [audience], ['a', audience, 'b'], [audience, audience]]) {
    assert.ok(verify(await withAudience(aud)).audience.includes(audience));
  }
  for (const aud of [
    undefined,
    null,
    '',
    [],
    [''],
    [audience, ''],
    [audience, 1],
    1,
    true,
    { 0: audience },
    [[audience]],
  ]) {
    refuses('IDN0404', await withAudience(aud));
  }
  for (const aud of ['x', `${audience}/`, audience.toUpperCase(), ` ${audience}`, [audience.slice(0, -1)]]) {
    refuses('IDN0406', await withAudience(aud));
  }
});

test('JS-08: a token without end, or past it, or before its beginning, is refused; ten seconds are forgiven', async () => {
  const withTimes = (times: object) =>
    rawToken(JSON.stringify(goodHeader), JSON.stringify({ ...goodClaims, iat: undefined, ...times }));
  refuses('IDN0401', await withTimes({ exp: undefined }));
  for (const exp of ['2100000000', null, -1, true, 1e18, [seconds + 300]])
    refuses('IDN0401', await withTimes({ exp }));
  for (const name of ['exp', 'nbf', 'iat']) {
    for (const text of ['1e400', '-1', '"1"', '99999999999999999999']) {
      const payload = JSON.stringify(goodClaims)
        .replace(/"(exp|iat)":\d+,?/g, '')
        .replace('}', '');
      const exp = name === 'exp' ? '' : `,"exp":${seconds + 300}`;
      refuses(
        'IDN0401',
        rawToken(JSON.stringify(goodHeader), `${payload.replace(/,$/, '')}${exp},"${name}":${text}}`),
      );
    }
  }
  const ends = await withTimes({ exp: seconds });
  assert.equal(verify(ends, now + 9999).id, web);
  refuses('IDN0407', ends, now + 10_000);
  for (const name of ['nbf', 'iat']) {
    const begins = await withTimes({ exp: seconds + 300, [name]: seconds + 60 });
    refuses('IDN0407', begins, now + 49_999);
    assert.equal(verify(begins, now + 50_000).id, web);
  }
  assert.equal(verify(await withTimes({ exp: seconds + 0.5 })).expiresAt, now + 500);
});

test('JS-11: keys that the bundle has for something else verify no JWT-SVID', async () => {
  const token = await tokenOf(goodClaims, { alg: 'ES256' });
  const jwk = { ...pairs.p256.publicKey.export({ format: 'jwk' }), kid: 'p256' };
  for (const use of ['x509-svid', 'wit-svid', 'JWT-SVID', 'sig', undefined]) {
    const from = sourceOf(bundleFromJwks(shop, JSON.stringify({ keys: [{ ...jwk, use }] })));
    refuses('IDN0405', token, now, from);
  }
  const from = sourceOf(bundleFromJwks(shop, JSON.stringify({ keys: [{ ...jwk, use: 'jwt-svid' }] })));
  assert.equal(verify(token, now, from).id, web);
});

test('S32: the keys of other trust domains are never asked, and a subject of an unknown one is refused', async () => {
  const foreign = curve('P-256');
  const from = sourceOf(
    bundleOf(shop, authority('p256', pairs.p256)),
    bundleOf(other, authority('foreign', foreign)),
  );
  const abroad = { ...goodClaims, sub: 'spiffe://other.example/web' };
  assert.equal(
    verify(await tokenOf(abroad, { kid: 'foreign' }, foreign), now, from).id,
    'spiffe://other.example/web',
  );
  refuses('IDN0405', await tokenOf(goodClaims, { kid: 'foreign' }, foreign), now, from);
  refuses('IDN0405', await tokenOf(goodClaims, {}, foreign), now, from);
  refuses('IDN0405', await tokenOf(abroad, { kid: 'p256' }), now, from);
  refuses('IDN0405', await tokenOf({ ...goodClaims, sub: 'spiffe://third.example/web' }), now, from);
});

test('TB-05: an empty bundle, and an authority that has ended, verify nothing', async () => {
  const token = await tokenOf(goodClaims);
  refuses('IDN0405', token, now, sourceOf(bundleOf(shop)));
  const ended = (expiresAt: number) => sourceOf(bundleOf(shop, authority('p256', pairs.p256, expiresAt)));
  refuses('IDN0405', token, now, ended(seconds - 11));
  assert.equal(verify(token, now, ended(seconds + 1)).id, web);
});
