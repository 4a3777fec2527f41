import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeKms } from '../../test/support/fake-kms.js';
import { isFault } from '../base/faults/fault.js';
import { parseTrustDomain } from '../spiffe/id.js';
import {
  type AuthoritySet,
  activeAuthority,
  activeJwtSigner,
  beginAuthorities,
  jwtAuthoritiesOf,
  noAuthorities,
  rotateAuthorities,
  x509AuthoritiesOf,
} from './authority-set.js';
import { diskKeys } from './key-manager.js';

const trustDomain = parseTrustDomain('shop.example');
const hour = 3_600_000;
const start = Date.UTC(2026, 0, 1);
const request = { trustDomain, ttlSeconds: 24 * 3600 };

/** Step by step, until nothing is left to do. */
async function settled(
  set: AuthoritySet,
  step: (set: AuthoritySet) => Promise<AuthoritySet>,
): Promise<AuthoritySet> {
  const next = await step(set);
  return next === set ? set : settled(next, step);
}
const begin = (keys = diskKeys) =>
  settled(noAuthorities, (set) => beginAuthorities(set, keys, { ...request, now: start }));
const rotateAt = (set: AuthoritySet, now: number) =>
  settled(set, (from) => rotateAuthorities(from, diskKeys, { ...request, now, steadyMs: Infinity }));

test('a new trust domain has one authority of each kind, with keys of their own, and all of it is in the bundle', async () => {
  const set = await begin();
  assert.deepEqual([set.x509.length, set.jwt.length], [1, 1]);
  assert.equal(activeAuthority(set, start), set.x509[0]);
  assert.equal(activeJwtSigner(set, start), set.jwt[0]);
  assert.notDeepEqual(set.x509[0]?.publicKey, set.jwt[0]?.publicKey);
  assert.equal(x509AuthoritiesOf(set).length, 1);
  const [jwt] = set.jwt;
  assert.deepEqual(jwtAuthoritiesOf(set), [
    { keyId: jwt?.keyId, publicKey: jwt?.publicKey, expiresAt: (start + 24 * hour) / 1000, tainted: false },
  ]);
});

test('FD-01, FD-02: a JWT authority is in the bundle before it signs anything, and until it ends', async () => {
  const first = await begin();
  const [old] = first.jwt;
  assert.equal(await rotateAt(first, start + 11 * hour), first);
  const set = await rotateAt(first, start + 12 * hour);
  assert.deepEqual([set.jwt.length, jwtAuthoritiesOf(set).length], [2, 2]);
  assert.equal(activeJwtSigner(set, start + 19 * hour), old);
  assert.equal(activeJwtSigner(set, start + 20.1 * hour), set.jwt[1]);
  assert.ok(old && (await rotateAt(set, old.notAfter)).jwt.includes(old));
  assert.ok(!(await rotateAt(set, old.notAfter + 1)).jwt.includes(old));
});

test('a step makes one key at most, so that none is lost when the next one cannot be made', async () => {
  const kms = fakeKms();
  const step = (set: AuthoritySet) => beginAuthorities(set, kms, { ...request, now: start });
  const first = await step(noAuthorities);
  assert.deepEqual([first.x509.length, first.jwt.length, kms.made.length], [1, 0, 1]);
  kms.away = new Error('away');
  await assert.rejects(step(first), (error) => isFault(error, 'CAS0106'));
  kms.away = undefined;
  const second = await step(first);
  assert.deepEqual([second.x509, second.jwt.length, kms.made.length], [first.x509, 1, 2]);
  assert.equal(await step(second), second);
});

test('a set from before there were JWT authorities gets its first one when the server starts', async () => {
  const { x509 } = await begin();
  const set = await settled({ x509, jwt: [] }, (from) =>
    beginAuthorities(from, diskKeys, { ...request, now: start + hour }),
  );
  assert.equal(set.x509, x509);
  assert.equal(activeJwtSigner(set, start + hour), set.jwt[0]);
});
