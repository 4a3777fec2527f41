import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { testCa } from '../../test/support/ca.js';
import { isFault } from '../base/faults/fault.js';
import type { FaultCode } from '../base/faults/table.js';
import type { Bundle } from './bundle.js';
import { bundleFromJwks, bundleToJwks, jwtKeysToJwks } from './bundle-jwks.js';
import { parseTrustDomain } from './id.js';
import { verifyX509Svid } from './verify-x509-svid.js';

const trustDomain = parseTrustDomain('shop.example');
const ca = testCa('shop.example');
const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const bundle: Bundle = {
  ...ca.bundle,
  jwtAuthorities: [
    {
      keyId: 'key-1',
      publicKey: publicKey.export({ format: 'der', type: 'spki' }),
      expiresAt: 0,
      tainted: false,
    },
  ],
  sequence: 7n,
  refreshHint: 300,
};

interface Jwk {
  [parameter: string]: unknown;
}
interface Jwks {
  keys: Jwk[];
  [parameter: string]: unknown;
}

/** The bundle as JSON, changed before it is read. */
function changed(change: (jwks: Jwks, x509: Jwk, jwt: Jwk) => void): string {
  const jwks: Jwks = JSON.parse(bundleToJwks(bundle));
  const [x509, jwt] = jwks.keys;
  assert.ok(x509 && jwt);
  change(jwks, x509, jwt);
  return JSON.stringify(jwks);
}

const read = (text: string) => bundleFromJwks(trustDomain, text);
const counts = ({ x509Authorities, jwtAuthorities }: Bundle) => [
  x509Authorities.length,
  jwtAuthorities.length,
];

function refuses(code: FaultCode, ...texts: string[]): void {
  for (const text of texts) {
    assert.throws(
      () => read(text),
      (error) => isFault(error, code) || assert.fail(`${text}: not ${code} but ${error}`),
    );
  }
}

test('a bundle comes back from the JWK set as it was', () => {
  const again = read(bundleToJwks(bundle));
  assert.equal(bundleToJwks(again), bundleToJwks(bundle));
  assert.deepEqual(counts(again), [1, 1]);
  assert.equal(again.sequence, 7n);
  assert.equal(again.refreshHint, 300);
  assert.equal(
    verifyX509Svid(ca.svid('spiffe://shop.example/web').chain, again, Date.now()).id,
    'spiffe://shop.example/web',
  );
});

test('XS-15, TB-06: an X.509 key has kty, use, no kid, and exactly one certificate in padded base64', () => {
  const { keys }: Jwks = JSON.parse(bundleToJwks(bundle));
  const { kty, use, kid, x5c, crv, x, y } = keys[0] ?? {};
  assert.deepEqual({ kty, use, kid, crv }, { kty: 'EC', use: 'x509-svid', kid: undefined, crv: 'P-256' });
  assert.deepEqual(x5c, [Buffer.from(ca.certificate.der).toString('base64')]);
  assert.ok(typeof x === 'string' && typeof y === 'string');
});

test('JS-10: a JWT key has use and kid', () => {
  const { keys }: Jwks = JSON.parse(bundleToJwks(bundle));
  assert.deepEqual([keys[1]?.use, keys[1]?.kid], ['jwt-svid', 'key-1']);
});

test('XS-17: an X.509 key without certificate is passed over, and only the first of several counts', () => {
  assert.deepEqual(counts(read(changed((_, x509) => delete x509.x5c))), [0, 1]);
  assert.deepEqual(counts(read(changed((_, x509) => (x509.x5c = [])))), [0, 1]);
  const two = changed((_, x509) => (x509.x5c = [Buffer.from(ca.certificate.der).toString('base64'), 'rest']));
  assert.deepEqual(counts(read(two)), [1, 1]);
});

test('TB-01: the keys are always there, be it as an empty list', () => {
  const empty = { ...bundle, x509Authorities: [], jwtAuthorities: [] };
  assert.deepEqual(JSON.parse(bundleToJwks(empty)).keys, []);
  assert.deepEqual(counts(read('{"keys":[]}')), [0, 0]);
  refuses('IDN0303', '{}', '{"keys":null}', '{"keys":{}}', '{"keys":[1]}', '{"keys":[null]}');
});

test('TB-02: the sequence number keeps all of its 64 bits', () => {
  for (const sequence of [0n, 1n, 2n ** 53n + 1n, 2n ** 63n - 1n, 2n ** 64n - 1n]) {
    const text = bundleToJwks({ ...bundle, sequence });
    assert.ok(text.includes(`"spiffe_sequence":${sequence},`));
    assert.equal(read(text).sequence, sequence);
  }
  assert.equal(read('{"keys":[]}').sequence, 0n);
});

test('TB-02, TB-03: a sequence number or refresh hint that is no whole number is refused', () => {
  for (const bad of ['-1', '1.5', '"1"', '1e3', 'null', 'true', '18446744073709551616']) {
    refuses('IDN0303', `{"keys":[],"spiffe_sequence":${bad}}`, `{"keys":[],"spiffe_refresh_hint":${bad}}`);
  }
});

test('TB-03: the refresh hint is written in seconds where there is one', () => {
  assert.equal(JSON.parse(bundleToJwks(bundle)).spiffe_refresh_hint, 300);
  assert.equal('spiffe_refresh_hint' in JSON.parse(bundleToJwks({ ...bundle, refreshHint: 0 })), false);
});

test('TB-04: a key of an unknown type or use is passed over, and the others count', () => {
  for (const kty of ['OKP', 'oct', 'ec', 'AKP', 7, null]) {
    assert.deepEqual(counts(read(changed((_, x509) => (x509.kty = kty)))), [0, 1]);
  }
  for (const use of ['sig', 'wit-svid', '', 7, null]) {
    assert.deepEqual(counts(read(changed((_, x509) => (x509.use = use)))), [0, 1]);
  }
});

test('TB-05: a bundle whose keys are all passed over verifies nothing', () => {
  const nothing = read(changed((_, x509) => (x509.use = 'sig')));
  const { chain } = ca.svid('spiffe://shop.example/web');
  assert.throws(
    () => verifyX509Svid(chain, nothing, Date.now()),
    (error) => isFault(error, 'IDN0207'),
  );
});

test('TB-06: the use is case-sensitive, and a key without use or type is passed over', () => {
  assert.deepEqual(counts(read(changed((_, x509) => (x509.use = 'X509-SVID')))), [0, 1]);
  assert.deepEqual(counts(read(changed((_, x509) => delete x509.use))), [0, 1]);
  assert.deepEqual(counts(read(changed((_, x509) => delete x509.kty))), [0, 1]);
});

test('TB-07: parameters that are not known are no matter', () => {
  const text = changed((jwks, x509, jwt) => {
    jwks.more = { nested: [1, 2.5, 'x'] };
    x509.alg = 'ES256';
    x509.x5t = 'abc';
    jwt.key_ops = ['verify'];
  });
  assert.deepEqual(counts(read(text)), [1, 1]);
});

test('JS-11: a JWT key without key ID is passed over, and an X.509 key never becomes one', () => {
  assert.deepEqual(counts(read(changed((_, __, jwt) => delete jwt.kid))), [1, 0]);
  assert.deepEqual(counts(read(changed((_, __, jwt) => (jwt.kid = '')))), [1, 0]);
});

test('what is broken refuses the whole bundle', () => {
  refuses('IDN0303', '', '[]', 'null', '{"keys":[]', '{"keys":[]}{}', '{"keys":[],"keys":[]}', "{'keys':[]}");
  refuses(
    'IDN0303',
    changed((_, x509) => (x509.x5c = 'no list')),
  );
  refuses(
    'IDN0303',
    changed((_, x509) => (x509.x5c = [7])),
    changed((_, x509) => (x509.x5c = ['a-b_'])),
  );
  refuses(
    'IDN0201',
    changed((_, x509) => (x509.x5c = ['AAAA'])),
  );
  const { der } = ca.svid('spiffe://shop.example/web');
  refuses(
    'IDN0302',
    changed((_, x509) => (x509.x5c = [Buffer.from(der).toString('base64')])),
  );
  refuses(
    'IDN0303',
    changed((_, __, jwt) => (jwt.x = 'AAAA')),
    changed((_, __, jwt) => (jwt.kid = 7)),
  );
});

test('S31: a bundle that is too large is refused', () => {
  refuses('IDN0304', `{"keys":[],"more":"${'a'.repeat(1024 * 1024)}"}`);
  refuses('IDN0304', `{"keys":[${Array.from({ length: 1001 }, () => '{}').join()}]}`);
});

test('S34: names of members that are special in JavaScript are names like any other', () => {
  const text =
    '{"__proto__":{"keys":[]},"constructor":1,"keys":[{"__proto__":{"use":"x509-svid","kty":"EC"}}]}';
  assert.deepEqual(counts(read(text)), [0, 0]);
  assert.equal('use' in {}, false);
  refuses('IDN0303', '{"__proto__":{"keys":[]}}');
});

test('whatever the text is, there is a bundle or a fault', () => {
  const property = fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
    for (const candidate of [text, `{"keys":[${text}]}`]) {
      try {
        read(candidate);
      } catch (error) {
        assert.ok(isFault(error), String(error));
      }
    }
  });
  fc.assert(property, { numRuns: 300 });
});

test('WA-15: workloads get the JWT keys alone, as a plain JWK set with key IDs', () => {
  const { x, y } = publicKey.export({ format: 'jwk' });
  assert.deepEqual(JSON.parse(jwtKeysToJwks(bundle)), {
    keys: [{ kty: 'EC', kid: 'key-1', crv: 'P-256', x, y }],
  });
  assert.equal(jwtKeysToJwks({ ...bundle, jwtAuthorities: [] }), '{"keys":[]}');
});
