import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isFault } from '../base/faults/fault.js';
import { parseTrustDomain, workloadId } from '../spiffe/id.js';
import { type AuthoritySet, activeAuthority, rotateAuthorities, x509AuthoritiesOf } from './authority-set.js';
import { issueX509Svid } from './issue-x509-svid.js';
import { diskKeys } from './key-manager.js';
import { newLocalKey } from './signing-key.js';

const trustDomain = parseTrustDomain('shop.example');
const hour = 3_600_000;
const start = Date.UTC(2026, 0, 1);
const rotateAt = (set: AuthoritySet, now: number, ttlSeconds = 24 * 3600) =>
  rotateAuthorities(set, diskKeys, { trustDomain, ttlSeconds, now });

test('a trust domain without authority gets a first one, which signs at once', async () => {
  const set = await rotateAt([], start);
  assert.equal(set.length, 1);
  assert.equal(activeAuthority(set, start), set[0]);
});

test('nothing changes before half life, and the same array comes back', async () => {
  const set = await rotateAt([], start);
  assert.equal(await rotateAt(set, start + 11 * hour), set);
});

test('FD-01: the next authority is in the bundle from half life on, and signs when a sixth is left', async () => {
  const first = await rotateAt([], start);
  const set = await rotateAt(first, start + 12 * hour);
  assert.equal(set.length, 2);
  assert.equal(x509AuthoritiesOf(set).length, 2);
  assert.equal(await rotateAt(set, start + 13 * hour), set, 'one prepared authority is enough');
  assert.equal(activeAuthority(set, start + 19 * hour), set[0]);
  assert.equal(activeAuthority(set, start + 20.1 * hour), set[1]);
});

test('FD-01: an authority prepared late does not sign before it can have been published', async () => {
  const first = await rotateAt([], start);
  const late = start + 23.5 * hour;
  const set = await rotateAt(first, late);
  assert.equal(activeAuthority(set, late), first[0]);
  assert.equal(activeAuthority(set, late + 0.25 * hour), set[1]);
});

test('FD-02: an old authority stays in the bundle until it ends, and no SVID outlives it', async () => {
  const set = await rotateAt(await rotateAt([], start), start + 12 * hour);
  const [first] = set;
  assert.ok(first);
  assert.ok((await rotateAt(set, first.notAfter)).includes(first));
  assert.ok(!(await rotateAt(set, first.notAfter + 1)).includes(first));
});

test('a server that was away for longer than a life makes a new authority', async () => {
  const set = await rotateAt(await rotateAt([], start), start + 100 * hour);
  assert.equal(set.length, 1);
  assert.equal(activeAuthority(set, start + 100 * hour), set[0]);
});

test('S37: when the clock is before every authority, or behind all of them, nothing signs and nothing is removed', async () => {
  const set = await rotateAt([], start);
  const isRefused = (now: number) =>
    assert.throws(
      () => activeAuthority(set, now),
      (error) => isFault(error, 'CAS0104'),
    );
  isRefused(start - hour);
  isRefused(start + 25 * hour);
  assert.equal(await rotateAt(set, start - hour), set);
});

test('S8: whenever it is asked, a rotated set can issue, and the SVID ends within an authority of the bundle', async () => {
  const steps = fc.array(fc.integer({ min: 1, max: 30 * 60 }), { minLength: 1, maxLength: 40 });
  const { publicKey } = newLocalKey();
  const property = fc.asyncProperty(fc.integer({ min: 60, max: 7200 }), steps, async (ttlSeconds, gaps) => {
    let now = start;
    let set: AuthoritySet = [];
    for (const gap of gaps) {
      now += gap * 1000;
      set = await rotateAt(set, now, ttlSeconds);
      const active = activeAuthority(set, now);
      if (now >= active.notAfter) continue;
      const id = workloadId(trustDomain, '/web');
      const issued = await issueX509Svid(active, { id, publicKey, dnsNames: [], ttlSeconds: 600, now });
      assert.ok(issued.notAfter <= active.notAfter && issued.notBefore >= active.notBefore);
      assert.ok(set.includes(active));
    }
  });
  await fc.assert(property, { numRuns: 30 });
});
