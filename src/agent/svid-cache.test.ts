import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { agentEntry, shop, standingClock } from '../../test/support/agent.js';
import { type Authority, createAuthority, type SigningAuthority } from '../ca/authority.js';
import { readCsr } from '../ca/csr.js';
import { issueX509Svid } from '../ca/issue-x509-svid.js';
import { newLocalKey } from '../ca/signing-key.js';
import type { Bundle } from '../spiffe/bundle.js';
import { workloadId } from '../spiffe/id.js';
import { silentLog } from '../telemetry/log.js';
import { newKeyRequest } from './issued-svid.js';
import type { AgentEntry } from './snapshot.js';
import { createSvidCache, type SignRequest, type SignSvids } from './svid-cache.js';

const hour = 3_600_000;
const web = agentEntry('web');
const orders = agentEntry('orders');

function setUp(random = () => 0.5) {
  const clock = standingClock(1_800_000_000_000);
  const authority = () =>
    createAuthority({ trustDomain: shop, ttlSeconds: 100 * 3600, now: clock.now() }, newLocalKey());
  const cache = createSvidCache({ clock, log: silentLog, random });
  const signed: string[][] = [];
  /** A server that signs for the entry of each request, as the real one does. */
  const signer =
    (by: SigningAuthority, entries: readonly AgentEntry[]): SignSvids =>
    async (requests) => {
      signed.push(requests.map(({ entryId }) => entryId));
      return Promise.all(requests.map((request) => signOne(by, entries, request, clock.now())));
    };
  return { clock, authority, cache, signed, signer };
}

async function signOne(
  by: SigningAuthority,
  entries: readonly AgentEntry[],
  { entryId, csr }: SignRequest,
  now: number,
) {
  const entry = entries.find(({ id }) => id === entryId);
  if (!entry) return { refusal: 'not found' };
  const { publicKey } = await readCsr(csr);
  return issueX509Svid(by, { id: entry.spiffeId, publicKey, dnsNames: [], ttlSeconds: 3600, now });
}

function bundleOf(...authorities: (Authority | { authority: Authority; tainted: boolean })[]): Bundle {
  const x509Authorities = authorities.map((given) =>
    'authority' in given
      ? { der: given.authority.certificate, tainted: given.tainted }
      : { der: given.certificate, tainted: false },
  );
  return { trustDomain: shop, x509Authorities, jwtAuthorities: [], sequence: 1n, refreshHint: 0 };
}

test('every entry gets an SVID for a key of its own, asked for by its SPIFFE ID', async () => {
  const { authority, cache, signed, signer } = setUp();
  const ca = await authority();
  const asked: string[] = [];
  const sign = signer(ca, [web, orders]);
  await cache.refresh([web, orders], bundleOf(ca), async (requests) => {
    for (const { csr } of requests) asked.push(...(await readCsr(csr)).uriSans);
    return sign(requests);
  });
  assert.deepEqual(signed, [[web.id, orders.id]]);
  assert.deepEqual(asked, [web.spiffeId, orders.spiffeId]);
  const svids = cache.svids();
  assert.equal(svids.get(web.id)?.id, web.spiffeId);
  for (const { chain, privateKey } of svids.values()) {
    const key = createPrivateKey({ key: Buffer.from(privateKey), format: 'der', type: 'pkcs8' });
    assert.ok(new X509Certificate(chain[0] ?? assert.fail()).checkPrivateKey(key));
  }
  assert.notDeepEqual(svids.get(web.id)?.privateKey, svids.get(orders.id)?.privateKey);
});

test('an SVID is replaced at half of its life, give or take a tenth, and not before', async () => {
  for (const [random, part] of [
    [0, 0.45],
    [0.5, 0.5],
    [0.999999, 0.55],
  ] as const) {
    const { clock, authority, cache, signed, signer } = setUp(() => random);
    const ca = await authority();
    const refresh = () => cache.refresh([web], bundleOf(ca), signer(ca, [web]));
    await refresh();
    const first = cache.svids().get(web.id);
    assert.ok(Math.abs(cache.nextRotation() - clock.now() - part * hour) < 10);
    clock.advance(part * hour - 1000);
    await refresh();
    assert.equal(signed.length, 1);
    clock.advance(2000);
    await refresh();
    assert.equal(signed.length, 2);
    assert.notEqual(cache.svids().get(web.id), first);
  }
});

test('an updated entry gets a new SVID at once, and the old one serves until it is there', async () => {
  const { authority, cache, signer } = setUp();
  const ca = await authority();
  const bundle = bundleOf(ca);
  await cache.refresh([web], bundle, signer(ca, [web]));
  const before = cache.svids().get(web.id);
  const updated = { ...web, revision: 1 };
  const away: SignSvids = () => Promise.reject(new Error('the server is away'));
  await assert.rejects(cache.refresh([updated], bundle, away));
  assert.equal(cache.svids().get(web.id), before);
  await cache.refresh([updated], bundle, signer(ca, [updated]));
  assert.notEqual(cache.svids().get(web.id), before);
});

test('an entry that now names another identity loses the SVID of the old one at once', async () => {
  const { authority, cache, signer } = setUp();
  const ca = await authority();
  await cache.refresh([web], bundleOf(ca), signer(ca, [web]));
  const renamed = { ...web, spiffeId: workloadId(shop, '/other'), revision: 1 };
  const away: SignSvids = () => Promise.reject(new Error('the server is away'));
  await assert.rejects(cache.refresh([renamed], bundleOf(ca), away));
  assert.equal(cache.svids().size, 0);
});

test('the SVID of a removed entry goes at once, even while nothing can be signed', async () => {
  const { authority, cache, signer } = setUp();
  const ca = await authority();
  await cache.refresh([web, orders], bundleOf(ca), signer(ca, [web, orders]));
  await cache.refresh([orders], bundleOf(ca), () => assert.fail('nothing is due'));
  assert.deepEqual([...cache.svids().keys()], [orders.id]);
});

test('an SVID stays while the server is away, and is not handed out once it expired', async () => {
  const { clock, authority, cache, signer } = setUp();
  const ca = await authority();
  await cache.refresh([web], bundleOf(ca), signer(ca, [web]));
  clock.advance(hour - 20_000);
  assert.equal(cache.svids().size, 1);
  clock.advance(20_000);
  assert.equal(cache.svids().size, 0);
});

test('SVIDs of a tainted authority, or of one that is gone from the bundle, are replaced at once', async () => {
  const { authority, cache, signed, signer } = setUp();
  const [old, next] = [await authority(), await authority()];
  await cache.refresh([web], bundleOf(old, next), signer(old, [web]));
  await cache.refresh([web], bundleOf(next, old), signer(old, [web]));
  assert.equal(signed.length, 1);
  await cache.refresh([web], bundleOf({ authority: old, tainted: true }, next), signer(next, [web]));
  assert.equal(signed.length, 2);
  await cache.refresh([web], bundleOf({ authority: old, tainted: true }, next), signer(next, [web]));
  assert.equal(signed.length, 2);
  await cache.refresh([web], bundleOf(old), signer(old, [web]));
  assert.equal(signed.length, 3);
});

test('an SVID for another identity, another key or from another authority is not taken', async () => {
  const { clock, authority, cache, signer } = setUp();
  const [ca, foreign] = [await authority(), await authority()];
  const other = agentEntry('web', { spiffeId: workloadId(shop, '/admin') });
  const bad: SignSvids[] = [
    signer(ca, [other]),
    signer(foreign, [web]),
    (requests) => signer(ca, [web])(requests.map((one) => ({ ...one, csr: newKeyRequest().csr }))),
    async () => [],
  ];
  for (const sign of bad) {
    await cache.refresh([web], bundleOf(ca), sign);
    assert.equal(cache.svids().size, 0);
  }
  assert.ok(cache.nextRotation() < Infinity, 'asked for again soon');
  clock.advance(1000);
  await cache.refresh([web], bundleOf(ca), signer(ca, [web]));
  assert.equal(cache.svids().size, 1);
});

test('one refused entry does not keep the others from their SVIDs', async () => {
  const { authority, cache, signer } = setUp();
  const ca = await authority();
  await cache.refresh([web, orders], bundleOf(ca), signer(ca, [orders]));
  assert.deepEqual([...cache.svids().keys()], [orders.id]);
});

test('many entries are signed in batches of at most 500', async () => {
  const { authority, cache } = setUp();
  const sizes: number[] = [];
  const many = Array.from({ length: 1001 }, (_, index) => agentEntry(`w${index}`));
  await cache.refresh(many, bundleOf(await authority()), async (requests) => {
    sizes.push(requests.length);
    return requests.map(() => ({ refusal: 'not now' }));
  });
  assert.deepEqual(sizes, [500, 500, 1]);
});
