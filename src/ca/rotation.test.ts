import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isFault } from '../base/faults/fault.js';
import { parseTrustDomain, workloadId } from '../spiffe/id.js';
import { type Authority, createAuthority } from './authority.js';
import { issueX509Svid } from './issue-x509-svid.js';
import { active, begun, canSignAt, rotated } from './rotation.js';
import { newLocalKey } from './signing-key.js';

const trustDomain = parseTrustDomain('shop.example');
const hour = 3_600_000;
const start = Date.UTC(2026, 0, 1);
const minute = 60_000;
type Authorities = readonly Authority[];
const maker = (now: number, ttlSeconds: number) => () =>
  createAuthority({ trustDomain, ttlSeconds, now }, newLocalKey());
const beginAt = (set: Authorities, now: number, ttlSeconds = 24 * 3600) =>
  begun(set, now, maker(now, ttlSeconds));
/** By a clock that has not jumped for long, unless `steadyMs` says otherwise. */
const rotateAt = (set: Authorities, now: number, ttlSeconds = 24 * 3600, steadyMs = Infinity) =>
  rotated(set, { now, steadyMs }, ttlSeconds, maker(now, ttlSeconds));

test('a trust domain without authority gets a first one, which signs at once', async () => {
  const set = await beginAt([], start);
  assert.equal(set.length, 1);
  assert.equal(active(set, start), set[0]);
});

test('nothing changes before half life, and the same array comes back', async () => {
  const set = await beginAt([], start);
  assert.equal(await rotateAt(set, start + 11 * hour), set);
});

test('one that was just made needs no successor, however short its life is: back-dating makes it no older', async () => {
  const property = fc.asyncProperty(fc.integer({ min: 1, max: 60 }), fc.nat(999), async (ttlSeconds, ms) => {
    const set = await beginAt([], start + ms, ttlSeconds);
    assert.equal(await rotateAt(set, start + ms, ttlSeconds), set);
  });
  await fc.assert(property, { numRuns: 60 });
});

test('FD-01: the next authority is in the bundle from half life on, and signs when a sixth is left', async () => {
  const first = await beginAt([], start);
  const set = await rotateAt(first, start + 12 * hour);
  assert.equal(set.length, 2);
  assert.equal(await rotateAt(set, start + 13 * hour), set, 'one prepared authority is enough');
  assert.equal(active(set, start + 19 * hour), set[0]);
  assert.equal(active(set, start + 20.1 * hour), set[1]);
});

test('FD-01: an authority prepared late does not sign before it can have been published', async () => {
  const first = await beginAt([], start);
  const late = start + 23.5 * hour;
  const set = await rotateAt(first, late);
  assert.equal(active(set, late), first[0]);
  assert.equal(active(set, late + 0.25 * hour), set[1]);
});

test('FD-02: an old authority stays in the bundle until it ends, and no SVID outlives it', async () => {
  const set = await rotateAt(await beginAt([], start), start + 12 * hour);
  const [first] = set;
  assert.ok(first);
  assert.ok((await rotateAt(set, first.notAfter)).includes(first));
  assert.ok(!(await rotateAt(set, first.notAfter + 1)).includes(first));
});

test('a server that starts after it was away for longer than a life makes a new authority, beside those that seem to have ended', async () => {
  const before = await beginAt([], start);
  const set = await beginAt(before, start + 100 * hour);
  assert.equal(set.length, 2);
  assert.equal(set[0], before[0]);
  assert.equal(active(set, start + 100 * hour), set[1]);
  assert.deepEqual(await rotateAt(set, start + 101 * hour, 24 * 3600, hour), [set[1]]);
});

test('S37: a server that starts with a clock before all of its authorities can issue, and keeps them for when the clock is right', async () => {
  const before = await beginAt([], start);
  const set = await beginAt(before, start - 1000 * hour);
  assert.equal(active(set, start - 1000 * hour), set[0]);
  assert.equal(active(set, start), before[0]);
});

test('S8, S37: when the clock is before every authority, or behind all of them, nothing signs', async () => {
  const set = await beginAt([], start);
  for (const now of [start - hour, start + 25 * hour]) {
    assert.throws(
      () => active(set, now),
      (error) => isFault(error, 'CAS0104'),
    );
  }
});

test('S37: a clock that just jumped past every end, or before every beginning, removes nothing and makes no new root', async () => {
  const set = await beginAt([], start);
  for (const now of [start - 1000 * hour, start + 1000 * hour]) {
    assert.equal(await rotateAt(set, now, 24 * 3600, 0), set);
    assert.equal(await rotateAt(set, now, 24 * 3600, 5 * minute - 1), set);
  }
});

test('S37: a jumped clock that keeps to its new time for five minutes is believed, so the server is not dead for ever; what it had stays', async () => {
  const set = await beginAt([], start);
  for (const now of [start - 1000 * hour, start + 1000 * hour]) {
    const next = await rotateAt(set, now, 24 * 3600, 5 * minute);
    assert.ok(canSignAt(next, now));
    assert.ok(set[0] && next.includes(set[0]));
    assert.equal(next.length, 2);
  }
});

test('S37: an authority that a jump into the future left behind keeps no other from being prepared in time', async () => {
  const stray = await rotateAt(await beginAt([], start), start + 1000 * hour, 24 * 3600, 5 * minute);
  const set = await rotateAt(stray, start + 12 * hour);
  assert.equal(set.length, stray.length + 1);
  assert.equal(active(set, start + 23 * hour), set[1]);
});

test('S37: after any jumps of the clock, none of them an hour long, every authority that has not ended is there and one signs', async () => {
  const jumps = fc.array(
    fc.record({
      away: fc.integer({ min: -10_000, max: 10_000 }), // hours
      minutesWrong: fc.integer({ min: 1, max: 58 }),
      minutesRight: fc.integer({ min: 0, max: 3000 }),
    }),
    { maxLength: 8 },
  );
  const property = fc.asyncProperty(jumps, async (all) => {
    let real = start;
    let set = await beginAt([], start);
    let made: Authorities = set;
    const pass = async (minutes: number, away: number) => {
      for (let steady = 0; steady <= minutes; steady++) {
        set = await rotateAt(set, real + away * hour, 24 * 3600, steady * minute);
        if (away === 0) made = [...new Set([...made, ...set])];
        real += minute;
      }
    };
    for (const { away, minutesWrong, minutesRight } of all) {
      await pass(minutesRight, 0);
      await pass(minutesWrong, away);
    }
    await pass(0, 0);
    const living = made.filter(({ notBefore, notAfter }) => notBefore <= real && notAfter >= real);
    assert.ok(living.every((one) => set.includes(one)));
    assert.ok(canSignAt(set, real));
  });
  await fc.assert(property, { numRuns: 40 });
});

test('S8: whenever it is asked, a rotated set can issue, and the SVID ends within an authority of the bundle', async () => {
  const steps = fc.array(fc.integer({ min: 1, max: 30 * 60 }), { minLength: 1, maxLength: 40 });
  const { publicKey } = newLocalKey();
  const property = fc.asyncProperty(fc.integer({ min: 60, max: 7200 }), steps, async (ttlSeconds, gaps) => {
    let now = start;
    let set = await beginAt([], now, ttlSeconds);
    for (const gap of gaps) {
      now += gap * 1000;
      set = await rotateAt(set, now, ttlSeconds);
      const signer = active(set, now);
      if (now >= signer.notAfter) continue;
      const id = workloadId(trustDomain, '/web');
      const issued = await issueX509Svid(signer, { id, publicKey, dnsNames: [], ttlSeconds: 600, now });
      assert.ok(issued.notAfter <= signer.notAfter && issued.notBefore >= signer.notBefore);
      assert.ok(set.includes(signer));
    }
  });
  await fc.assert(property, { numRuns: 30 });
});

test('an authority whose key is lost verifies and does not sign: a server that starts has a new one beside it', async () => {
  const [lost, other] = await Promise.all([maker(start, 3600)(), maker(start, 3600)()]);
  const missing = { ...lost, key: { kind: 'missing', reference: 'somewhere' } } as const;
  const set = await beginAt([missing], start + minute);
  assert.deepEqual([set[0], set.length], [missing, 2]);
  assert.equal(active(set, start + minute), set[1]);
  assert.equal(active([missing, other], start + minute), other);
});
