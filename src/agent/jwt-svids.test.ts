import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentEntry, standingClock } from '../../test/support/agent.js';
import { grpcError } from '../../test/support/fake-server.js';
import { authority, bundleOf, now, pairs, shop, tokenOf } from '../../test/support/jwt.js';
import { recordingLog } from '../../test/support/log.js';
import { isFault } from '../base/faults/fault.js';
import type { FaultCode } from '../base/faults/table.js';
import { createJwtSvids, type JwtRequest } from './jwt-svids.js';
import type { AgentEntry, Snapshot } from './snapshot.js';

const first = authority('p256', pairs.p256);
const second = authority('p384', pairs.p384);
const ttlMs = 300_000;

const snapshotOf = (entries: readonly AgentEntry[], ...jwtAuthorities: (typeof first)[]): Snapshot => ({
  entries,
  svids: new Map(),
  bundle: bundleOf(shop, ...jwtAuthorities),
  federated: new Map(),
});

/** A cache over a server that signs with `header`, unless it fails; what the server says to a request can be replaced. */
function cacheOf(snapshot: Snapshot, maxKept?: number) {
  const clock = standingClock(now);
  const state = {
    snapshot: snapshot as Snapshot | undefined,
    header: { alg: 'ES256', kid: 'p256', typ: 'JWT' },
    requests: [] as JwtRequest[],
    fails: undefined as Error | undefined,
    claims: {} as object,
  };
  const newJwtSvid = async (request: JwtRequest) => {
    state.requests.push(request);
    if (state.fails) throw state.fails;
    const entry = state.snapshot?.entries.find(({ id }) => id === request.entryId);
    const [iat, exp] = [clock.now() / 1000, (clock.now() + ttlMs) / 1000];
    const claims = { sub: entry?.spiffeId, aud: request.audience, iat, exp, ...state.claims };
    return tokenOf(claims, state.header);
  };
  const jwtSvids = createJwtSvids({
    identities: { current: () => state.snapshot },
    ...{ newJwtSvid, clock, log: recordingLog() },
    ...(maxKept !== undefined && { maxKept }),
  });
  return { clock, state, token: jwtSvids.token };
}

const web = agentEntry('web');
const batch = agentEntry('batch');
const away = () => grpcError('UNAVAILABLE', 'connection refused');
const throws = (code: FaultCode) => (error: unknown) => isFault(error, code) || assert.fail(String(error));

test('a token is asked for once, and the same audiences in another order are the same token', async () => {
  const { state, token } = cacheOf(snapshotOf([web, batch], first));
  const given = await token(web.id, ['orders', 'billing']);
  assert.equal(await token(web.id, ['billing', 'orders', 'orders']), given);
  assert.equal(state.requests.length, 1);
  assert.deepEqual(state.requests[0]?.audience, ['billing', 'orders']);
  assert.notEqual(await token(web.id, ['orders']), given);
  assert.notEqual(await token(batch.id, ['orders', 'billing']), given);
  assert.equal(state.requests.length, 3);
});

test('those who ask for the same token at once share one call', async () => {
  const { state, token } = cacheOf(snapshotOf([web], first));
  const given = await Promise.all([token(web.id, ['a']), token(web.id, ['a']), token(web.id, ['a'])]);
  assert.equal(new Set(given).size, 1);
  assert.equal(state.requests.length, 1);
});

test('after half of its life a token is asked for anew, and while the server is away the last one is given until it ends', async () => {
  const { clock, state, token } = cacheOf(snapshotOf([web], first));
  const given = await token(web.id, ['orders']);
  clock.advance(ttlMs / 2 - 1000);
  assert.equal(await token(web.id, ['orders']), given);
  clock.advance(2000);
  state.fails = away();
  assert.equal(await token(web.id, ['orders']), given);
  assert.equal(state.requests.length, 2);
  await assert.rejects(token(web.id, ['never asked for']), throws('AGT0302'));
  state.fails = undefined;
  const renewed = await token(web.id, ['orders']);
  assert.notEqual(renewed, given);
  state.fails = away();
  clock.advance(ttlMs - 1000);
  assert.equal(await token(web.id, ['orders']), renewed);
  clock.advance(2000);
  await assert.rejects(token(web.id, ['orders']), throws('AGT0302'));
});

test('who has a good token does not wait long for a better one', async () => {
  const { clock, state, token } = cacheOf(snapshotOf([web], first));
  await token(web.id, ['orders']);
  clock.advance(ttlMs / 2 + 1000);
  await token(web.id, ['orders']);
  const [asked = assert.fail(), again = assert.fail()] = state.requests;
  assert.ok(again.deadlineMs < asked.deadlineMs);
});

test('a changed entry gets a new token, and the old one is given only while the identity is the same', async () => {
  const { state, token } = cacheOf(snapshotOf([web], first));
  const given = await token(web.id, ['orders']);
  state.snapshot = snapshotOf([{ ...web, revision: 1 }], first);
  state.fails = away();
  assert.equal(await token(web.id, ['orders']), given);
  state.snapshot = snapshotOf([{ ...web, spiffeId: batch.spiffeId, revision: 2 }], first);
  await assert.rejects(token(web.id, ['orders']), throws('AGT0302'));
});

test('an entry that is gone, or went while the server signed, and an agent that knows nothing give no token', async () => {
  const { state, token } = cacheOf(snapshotOf([web], first));
  await assert.rejects(token('entry-none', ['orders']), throws('WLA0203'));
  const waiting = token(web.id, ['orders']);
  state.snapshot = snapshotOf([], first);
  await assert.rejects(waiting, throws('WLA0203'));
  state.snapshot = undefined;
  await assert.rejects(token(web.id, ['orders']), throws('WLA0203'));
});

test('a token whose authority is tainted or gone is not given any more, and is asked for anew', async () => {
  const { state, token } = cacheOf(snapshotOf([web], first, second));
  const given = await token(web.id, ['orders']);
  state.snapshot = snapshotOf([web], first, second, authority('more', pairs.p521));
  assert.equal(await token(web.id, ['orders']), given);
  state.header = { alg: 'ES384', kid: 'p384', typ: 'JWT' };
  state.snapshot = snapshotOf([web], { ...first, tainted: true }, second);
  const fresh = await token(web.id, ['orders']);
  assert.notEqual(fresh, given);
  state.snapshot = snapshotOf([web], first);
  state.fails = away();
  await assert.rejects(token(web.id, ['orders']), throws('AGT0302'));
});

test('a token that is not what was asked for is refused', async () => {
  const { state, token } = cacheOf(snapshotOf([web], first));
  for (const claims of [{ sub: batch.spiffeId }, { aud: ['b'] }, { aud: ['a'] }, { exp: now / 1000 - 60 }]) {
    state.claims = claims;
    await assert.rejects(token(web.id, ['a', 'b']), throws('AGT0302'), JSON.stringify(claims));
  }
  state.claims = {};
  state.header = { alg: 'ES384', kid: 'p384', typ: 'JWT' };
  await assert.rejects(token(web.id, ['a', 'b']), throws('AGT0302'));
});

test('audiences that the server refuses are the fault of who asked', async () => {
  const { state, token } = cacheOf(snapshotOf([web], first));
  state.fails = grpcError('INVALID_ARGUMENT', 'too much');
  await assert.rejects(token(web.id, ['orders']), throws('AGT0303'));
});

test('only so many tokens are kept, and those that are asked for stay the longest', async () => {
  const { state, token } = cacheOf(snapshotOf([web], first), 2);
  const a = await token(web.id, ['a']);
  await token(web.id, ['b']);
  await token(web.id, ['a']);
  await token(web.id, ['c']);
  state.fails = away();
  assert.equal(await token(web.id, ['a']), a);
  await assert.rejects(token(web.id, ['b']), throws('AGT0302'));
});
