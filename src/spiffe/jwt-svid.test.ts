import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  base64,
  goodClaims,
  goodHeader,
  pairs,
  rawToken,
  refuses,
  tokenOf,
  verify,
  web,
} from '../../test/support/jwt.js';

test('JS-03, JS-09: none, shared secrets, EdDSA and other curves are refused before the payload is looked at', async () => {
  const refused = [
    'none',
    'HS256',
    'HS384',
    'HS512',
    'EdDSA',
    'Ed25519',
    'ES256K',
    'RSA-OAEP',
    'es256',
    '',
    'RS1',
  ];
  for (const alg of refused) {
    refuses('IDN0402', `${base64(JSON.stringify({ alg }))}.not%a%payload.`);
  }
  for (const alg of [null, 1, ['ES256'], { a: 1 }])
    refuses('IDN0402', `${base64(JSON.stringify({ alg }))}.e30.`);
  refuses('IDN0402', `${base64('{}')}.e30.`);
});

test('JS-04: a type that is left out, JWT or JOSE is accepted, and no other', async () => {
  for (const typ of [undefined, 'JWT', 'JOSE']) {
    assert.equal(verify(await tokenOf(goodClaims, { kid: 'p256', typ })).id, web);
  }
  for (const typ of ['wit+jwt', 'at+jwt', 'jwt', 'jose', 'application/jwt', '', null, 1]) {
    refuses('IDN0401', rawToken(JSON.stringify({ ...goodHeader, typ }), JSON.stringify(goodClaims)));
  }
});

test('JS-01: only the compact form is read, and only in the one way of writing it', async () => {
  const token = await tokenOf(goodClaims);
  const [header = '', payload = '', signature = ''] = token.split('.');
  const asJson = JSON.stringify({ protected: header, payload, signature });
  const general = JSON.stringify({ payload, signatures: [{ protected: header, signature }] });
  const bad = [
    asJson,
    general,
    '',
    '.',
    '..',
    '...',
    `${header}.${payload}`,
    `${token}.`,
    `.${token}`,
    `${token}.AAAA`,
    ` ${token}`,
    `${token}\n`,
    `${token}=`,
    `${header}=.${payload}.${signature}`,
    `${header}.${payload}==.${signature}`,
    `${header}\n.${payload}.${signature}`,
    `Bearer ${token}`,
    Buffer.from(payload, 'base64url').toString(),
  ];
  for (const text of bad) refuses('IDN0401', text);
});

test('JS-01: a signature whose last bits could be written otherwise is accepted in one way only', async () => {
  const token = await tokenOf(goodClaims);
  // 64 bytes leave four bits of the last character unused.
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = alphabet.indexOf(token.at(-1) ?? '');
  for (let bits = 1; bits < 16; bits++) refuses('IDN0401', token.slice(0, -1) + alphabet[last + bits]);
});

test('JS-02: a header has alg, kid and typ and nothing else', async () => {
  const more = {
    jku: 'https://evil.example/keys',
    jwk: pairs.p256.publicKey.export({ format: 'jwk' }),
    x5u: 'https://evil.example/chain',
    x5c: ['AAAA'],
    x5t: 'AAAA',
    cty: 'JWT',
    b64: true,
    zip: 'DEF',
    nonce: '1',
    constructor: '1',
  };
  for (const [name, value] of Object.entries(more)) {
    refuses(
      'IDN0401',
      rawToken(JSON.stringify({ ...goodHeader, [name]: value }), JSON.stringify(goodClaims)),
    );
  }
});

test('JS-09: critical headers are refused, known or not', async () => {
  for (const crit of [['b64'], ['exp'], ['alg'], [], 'exp', null]) {
    for (const extra of [{}, { b64: false }, { exp: 1 }]) {
      const header = JSON.stringify({ ...goodHeader, ...extra, crit });
      refuses('IDN0401', rawToken(header, JSON.stringify(goodClaims)));
    }
  }
});

test('JS-06: the subject is the SPIFFE ID of a workload, as it is written', async () => {
  const bad = [
    undefined,
    '',
    'web',
    'https://shop.example/web',
    'spiffe://shop.example',
    'spiffe://shop.example/',
    'spiffe://shop.example/a/../web',
    'spiffe://Shop.example/web',
    'SPIFFE://shop.example/web',
    'spiffe://shop.example/web\n',
    'spiffe://shop.example/%77eb',
    'spiffe:///web',
    `spiffe://shop.example/${'a'.repeat(2048)}`,
    1,
    null,
    [web],
  ];
  for (const sub of bad)
    refuses('IDN0403', rawToken(JSON.stringify(goodHeader), JSON.stringify({ ...goodClaims, sub })));
});

test('a member that stands twice, text that is not UTF-8, and JSON that is no object are refused', async () => {
  const header = JSON.stringify(goodHeader);
  const payload = JSON.stringify(goodClaims);
  const twice = (json: string, member: string) => `${json.slice(0, -1)},${member}}`;
  refuses('IDN0401', rawToken(twice(header, '"alg":"ES256"'), payload));
  refuses('IDN0401', rawToken(header, twice(payload, `"sub":"${web}"`)));
  refuses('IDN0401', rawToken(header, twice(payload, `"\\u0073ub":"${web}"`)));
  refuses('IDN0401', rawToken(header, twice(payload, '"x":{"a":1,"a":2}')));
  refuses('IDN0401', rawToken(`\ufeff${header}`, payload));
  for (const json of ['', 'null', '[]', '"x"', '1', '{', `${payload} x`])
    refuses('IDN0401', rawToken(header, json));
  const latin1 = Buffer.from(payload.replace('"iat"', '"\xe9"'), 'latin1');
  const [first = ''] = rawToken(header, payload).split('.');
  refuses('IDN0401', `${first}.${latin1.toString('base64url')}.AAAA`);
});

test('a token of more than 16 KiB is refused unread', async () => {
  const claims = { ...goodClaims, padding: 'x'.repeat(11_500) };
  assert.equal(verify(await tokenOf(claims)).id, web);
  refuses('IDN0401', await tokenOf({ ...claims, more: 'x'.repeat(2000) }));
  refuses('IDN0401', '.'.repeat(10_000_000));
});
