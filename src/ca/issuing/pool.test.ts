import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { fakeKms } from '../../../test/support/fake-kms.js';
import { isFault } from '../../base/faults/fault.js';
import { parseTrustDomain, type SpiffeId, workloadId } from '../../spiffe/id.js';
import { verifyX509Svid } from '../../spiffe/verify-x509-svid.js';
import { silentLog } from '../../telemetry/log.js';
import { createAuthority, type SigningAuthority } from '../authority.js';
import { x509AuthoritiesOf } from '../authority-set.js';
import { makeCsr, readCsr } from '../csr.js';
import { publicKeyName } from '../public-key.js';
import { newLocalKey, type SigningKey } from '../signing-key.js';
import type { SvidOrder } from './order.js';
import { openIssuingPool, type PoolOptions } from './pool.js';
import { type Chunk, type Outcome, startSigningThread } from './thread.js';

const trustDomain = parseTrustDomain('shop.example');
const now = Date.now();
const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const key = newKey();

function pool(t: TestContext, options: Partial<PoolOptions> = {}) {
  const opened = openIssuingPool({ log: silentLog, threads: 2, ...options });
  t.after(() => opened.close());
  return opened;
}

const authorityOf = (by: SigningKey = newLocalKey()) =>
  createAuthority({ trustDomain, ttlSeconds: 3600, now }, by);

function order(path: string, more: Partial<SvidOrder> & { key?: KeyObject } = {}): SvidOrder {
  const csr = makeCsr(more.key ?? key, 'spiffe://shop.example/asked-for');
  return { id: workloadId(trustDomain, path), csr, dnsNames: [], ttlSeconds: 60, ...more };
}

/** The IDs that the SVIDs verify for, or the codes of the faults. */
function results(outcomes: readonly Outcome[], authority: SigningAuthority): string[] {
  const x509Authorities = x509AuthoritiesOf({ x509: [authority] });
  const bundle = { trustDomain, x509Authorities, jwtAuthorities: [], sequence: 1n, refreshHint: 0 };
  return outcomes.map((outcome) => {
    if (outcome instanceof Error)
      return isFault(outcome) ? (outcome as Error & { code: string }).code : 'bug';
    const { chain, ...others } = outcome;
    assert.deepEqual(verifyX509Svid(chain, bundle, now), others);
    return outcome.id;
  });
}

test('orders of many calls at once are filled, each in its place', async (t) => {
  const issuing = pool(t);
  const signer = { authority: await authorityOf(), reservedKeys: new Set<string>() };
  const calls = [1, 16, 17, 50, 0, 1].map((count, call) =>
    Array.from({ length: count }, (_, index) => order(`/${call}/${index}`)),
  );
  const outcomes = await Promise.all(calls.map((orders) => issuing.issue(signer, orders, now)));
  assert.deepEqual(
    outcomes.map((of) => results(of, signer.authority)),
    calls.map((orders) => orders.map(({ id }) => id)),
  );
});

test('a bad order among good ones is refused alone: with its fault (S4, S6, S7)', async (t) => {
  const issuing = pool(t);
  const reserved = newKey();
  const reservedKeys = new Set([publicKeyName((await readCsr(makeCsr(reserved))).publicKey)]);
  const authority = await authorityOf();
  const forged = Buffer.from(order('/x').csr);
  forged[forged.indexOf('asked')] = 65;
  const orders = [
    order('/good'),
    order('/forged', { csr: forged }),
    order('/rubbish', { csr: Buffer.from('rubbish') }),
    order('/reserved', { key: reserved }),
    order('/dns', { dnsNames: ['a b'] }),
    { ...order('/foreign'), id: 'spiffe://other.example/x' as SpiffeId },
    order('/also-good', { dnsNames: ['web.shop.example'] }),
  ];
  assert.deepEqual(results(await issuing.issue({ authority, reservedKeys }, orders, now), authority), [
    'spiffe://shop.example/good',
    'CAS0204',
    'CAS0203',
    'CAS0102',
    'CAS0105',
    'CAS0101',
    'spiffe://shop.example/also-good',
  ]);
});

test('keys of every kind are read', async (t) => {
  const issuing = pool(t);
  const authority = await authorityOf();
  const orders = [
    order('/p384', { key: generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey }),
    order('/p256'),
  ];
  const outcomes = await issuing.issue({ authority, reservedKeys: new Set() }, orders, now);
  assert.deepEqual(results(outcomes, authority), [
    'spiffe://shop.example/p384',
    'spiffe://shop.example/p256',
  ]);
});

test('a new signer signs what is asked for after it came', async (t) => {
  const issuing = pool(t, { threads: 1 });
  const signers = [await authorityOf(), await authorityOf()].map((authority) => ({
    authority,
    reservedKeys: new Set<string>(),
  }));
  const turns = [...signers, ...signers];
  const outcomes = await Promise.all(turns.map((signer) => issuing.issue(signer, [order('/web')], now)));
  for (const [turn, of] of outcomes.entries()) {
    assert.deepEqual(results(of, turns[turn]?.authority ?? assert.fail()), ['spiffe://shop.example/web']);
  }
});

test('threads that had nothing to do for a while end, and come again with the next order', async (t) => {
  const issuing = pool(t, { idleMs: 0 });
  const signer = { authority: await authorityOf(), reservedKeys: new Set<string>() };
  for (let turn = 0; turn < 3; turn++) {
    const outcomes = await issuing.issue(signer, [order('/web')], now);
    assert.deepEqual(results(outcomes, signer.authority), ['spiffe://shop.example/web']);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
});

/** Real threads, that are killed when they take an order of an ID that `kills` says so of. */
function mortal(kills: (id: SpiffeId) => boolean): typeof startSigningThread {
  return (events) => {
    const thread = startSigningThread(events);
    const { take } = thread;
    return Object.assign(thread, {
      take: (chunks: readonly Chunk[]) => {
        take(chunks);
        if (chunks.some(({ orders }) => orders.some(({ id }) => kills(id)))) void thread.end();
      },
    });
  };
}

test('a thread that dies is replaced, and what it had is done by another one', async (t) => {
  let deaths = 0;
  const issuing = pool(t, { threads: 1, start: mortal(() => deaths++ < 1) });
  const signer = { authority: await authorityOf(), reservedKeys: new Set<string>() };
  const orders = Array.from({ length: 40 }, (_, index) => order(`/${index}`));
  const outcomes = await issuing.issue(signer, orders, now);
  assert.ok(deaths > 1);
  assert.deepEqual(
    results(outcomes, signer.authority),
    orders.map(({ id }) => id),
  );
});

test('an order over which thread after thread dies is refused, and the others are filled', async (t) => {
  const start = mortal((id) => id.endsWith('/poison'));
  const issuing = pool(t, { start });
  const signer = { authority: await authorityOf(), reservedKeys: new Set<string>() };
  const [poisoned, others] = await Promise.all([
    issuing.issue(signer, [order('/poison')], now),
    Promise.all([1, 2, 3].map((number) => issuing.issue(signer, [order(`/${number}`)], now))),
  ]);
  assert.deepEqual(results(poisoned, signer.authority), ['CAS0108']);
  for (const outcome of others.flat()) {
    // One may have been in the threads that died, every time.
    assert.ok(!(outcome instanceof Error) || isFault(outcome, 'CAS0108'));
  }
  const after = await issuing.issue(signer, [order('/after')], now);
  assert.deepEqual(results(after, signer.authority), ['spiffe://shop.example/after']);
});

test('closing waits for what was asked for', async (t) => {
  const issuing = pool(t);
  const signer = { authority: await authorityOf(), reservedKeys: new Set<string>() };
  const outcomes = issuing.issue(
    signer,
    Array.from({ length: 40 }, () => order('/web')),
    now,
  );
  await issuing.close();
  assert.equal(results(await outcomes, signer.authority).length, 40);
});

test('what a key elsewhere signs is the same; while it is away each SVID is refused', async (t) => {
  const issuing = pool(t);
  const kms = fakeKms();
  const authority = await authorityOf(await kms.generate());
  const signer = { authority, reservedKeys: new Set<string>() };
  const orders = Array.from({ length: 20 }, (_, index) => order(`/${index}`));
  assert.deepEqual(
    results(await issuing.issue(signer, orders, now), authority),
    orders.map(({ id }) => id),
  );
  kms.away = new Error('no route');
  const refused = await issuing.issue(
    signer,
    [order('/web'), order('/rubbish', { csr: Buffer.alloc(1) })],
    now,
  );
  assert.deepEqual(results(refused, authority), ['CAS0106', 'CAS0203']);
});
