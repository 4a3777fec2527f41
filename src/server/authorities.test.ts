import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { standingClock } from '../../test/support/agent.js';
import { testCa } from '../../test/support/ca.js';
import { fakeKms } from '../../test/support/fake-kms.js';
import { fault, isFault } from '../base/faults/fault.js';
import { openIssuingPool } from '../ca/issuing/pool.js';
import { diskKeys, memoryKeys } from '../ca/key-manager.js';
import { newLocalKey } from '../ca/signing-key.js';
import { bundleFromJwks, bundleToJwks } from '../spiffe/bundle-jwks.js';
import { bundleSha256 } from '../spiffe/bundle-pem.js';
import { readCertificate } from '../spiffe/certificate.js';
import { parseTrustDomain, workloadId } from '../spiffe/id.js';
import { verifyJwtSvid } from '../spiffe/verify-jwt-svid.js';
import { verifyX509Svid } from '../spiffe/verify-x509-svid.js';
import { silentLog } from '../telemetry/log.js';
import { openAuthorities } from './authorities.js';
import { openOwnSvid } from './own-svid.js';
import type { AppendedAuthorities } from './ports.js';

const trustDomain = parseTrustDomain('shop.example');
const serverId = workloadId(trustDomain, '/spire/server');
const hour = 3_600_000;

/** Counts as the store does, and fails when told to. */
function counter() {
  let last = '';
  let value = 0n;
  const store = {
    broken: false,
    bundleSequence: async (hash: string) => {
      if (store.broken) throw fault('STO0201', { path: 'p' });
      if (hash !== last) value++;
      last = hash;
      return value;
    },
    lastBundleSequence: async () => value,
    appended: { x509Authorities: [], jwtAuthorities: [] } as AppendedAuthorities,
    appendedAuthorities: async () => store.appended,
    appendAuthorities: async (added: AppendedAuthorities) => {
      if (store.broken) throw fault('STO0201', { path: 'p' });
      const { x509Authorities, jwtAuthorities } = store.appended;
      store.appended = {
        x509Authorities: [...x509Authorities, ...added.x509Authorities],
        jwtAuthorities: [...jwtAuthorities, ...added.jwtAuthorities],
      };
      return store.appended;
    },
  };
  return store;
}

function surroundings(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'pl-ca-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const clock = standingClock(1_700_000_000_000);
  const store = counter();
  const path = join(folder, 'data', 'authorities.pem');
  const lines: string[] = [];
  const note = (_: unknown, sentence: string) => void lines.push(sentence);
  const log = { ...silentLog, warn: note, error: note };
  const pool = openIssuingPool({ log: silentLog, threads: 1 });
  t.after(() => pool.close());
  return {
    path,
    keys: diskKeys,
    trustDomain,
    ttlSeconds: 86_400,
    clock,
    uptime: clock.uptime,
    pool,
    store,
    log,
    lines,
  };
}

test('authorities rotate: published first, signing later, gone when they have ended; the sequence grows with each change', async (t) => {
  const options = surroundings(t);
  const { clock } = options;
  const authorities = await openAuthorities(options);
  const identity = await openOwnSvid(serverId, 3600, authorities, clock);
  const first = authorities.own().x509Authorities[0]?.der ?? new Uint8Array();
  const seen: [number, bigint][] = [];
  authorities.onChange(() =>
    seen.push([authorities.own().x509Authorities.length, authorities.own().sequence]),
  );
  for (let minutes = 0; minutes < 36 * 60; minutes += 10) {
    clock.advance(hour / 6);
    await authorities.keepCurrent();
    await identity.keepCurrent();
    // At every moment whoever has the bundle can verify the server.
    const svid = verifyX509Svid(identity.current()?.chain ?? [], authorities.own(), clock.now());
    assert.equal(svid.id, serverId);
  }
  assert.deepEqual(seen[0], [2, 2n]);
  assert.deepEqual(
    seen.map(([, sequence]) => sequence),
    seen.map((_, i) => BigInt(i + 2)),
  );
  assert.ok(!authorities.own().x509Authorities.some(({ der }) => Buffer.compare(der, first) === 0));
});

test('after a restart the authorities and the sequence are the same (TB-02)', async (t) => {
  const options = surroundings(t);
  const before = (await openAuthorities(options)).own();
  const after = (await openAuthorities(options)).own();
  assert.equal(bundleSha256(after), bundleSha256(before));
  assert.equal(after.sequence, before.sequence);
});

test('a file of authorities that is gone is not replaced in silence: every SVID would lose its root', async (t) => {
  const options = surroundings(t);
  await openAuthorities(options);
  rmSync(options.path);
  await assert.rejects(openAuthorities(options), (error) => isFault(error, 'CAS0304'));
  await assert.rejects(openAuthorities(options), /authorities\.pem/);
});

test('while the store fails nothing changes, and later it does (S37)', async (t) => {
  const options = surroundings(t);
  const { clock, store } = options;
  const authorities = await openAuthorities(options);
  clock.advance(13 * hour);
  store.broken = true;
  await assert.rejects(authorities.keepCurrent(), (error) => isFault(error, 'STO0201'));
  assert.deepEqual([authorities.own().x509Authorities.length, authorities.own().sequence], [1, 1n]);
  store.broken = false;
  await authorities.keepCurrent();
  assert.deepEqual([authorities.own().x509Authorities.length, authorities.own().sequence], [2, 2n]);
});

test('an authority that was saved but not yet published when the server was killed is published after', async (t) => {
  const options = surroundings(t);
  const { clock, store } = options;
  const authorities = await openAuthorities(options);
  clock.advance(13 * hour);
  store.broken = true;
  await assert.rejects(authorities.keepCurrent());
  store.broken = false;
  const after = (await openAuthorities(options)).own();
  assert.deepEqual([after.x509Authorities.length, after.sequence], [2, 2n]);
});

test('keys of a key manager come back after a restart, and one that is gone or away is not replaced in silence', async (t) => {
  const kms = fakeKms();
  const options = { ...surroundings(t), keys: kms };
  const request = { id: serverId, publicKey: newLocalKey().publicKey, dnsNames: [], ttlSeconds: 60 };
  const first = await openAuthorities(options);
  const { chain } = await first.issue(request);
  assert.equal(readFileSync(options.path, 'utf8').includes('PRIVATE KEY'), false);
  const again = await openAuthorities(options);
  const reissued = await again.issue(request);
  for (const each of [chain, reissued.chain]) verifyX509Svid(each, again.own(), options.clock.now());
  assert.equal(again.own().sequence, 1n);
  kms.away = new Error('ECONNREFUSED');
  await assert.rejects(openAuthorities(options), (error) => isFault(error, 'CAS0106'));
  kms.away = undefined;
  for (const reference of kms.made) kms.lose(reference);
  const after = await openAuthorities(options);
  assert.deepEqual([after.own().x509Authorities.length, after.own().sequence], [2, 2n]);
  verifyX509Svid((await after.issue(request)).chain, after.own(), options.clock.now());
});

test('keys in memory end with the process: what they signed is verified until it ends, and new ones sign', async (t) => {
  const options = { ...surroundings(t), keys: memoryKeys };
  const request = { id: serverId, publicKey: newLocalKey().publicKey, dnsNames: [], ttlSeconds: 60 };
  const { chain } = await (await openAuthorities(options)).issue(request);
  assert.equal(readFileSync(options.path, 'utf8').includes('PRIVATE KEY'), false);
  const after = await openAuthorities(options);
  assert.equal(after.own().x509Authorities.length, 2);
  verifyX509Svid(chain, after.own(), options.clock.now());
  verifyX509Svid((await after.issue(request)).chain, after.own(), options.clock.now());
});

test('one key manager follows another: the old keys sign until the new ones are due', async (t) => {
  const options = surroundings(t);
  const kms = fakeKms();
  await openAuthorities(options);
  const moved = await openAuthorities({ ...options, keys: kms });
  assert.deepEqual([moved.own().sequence, kms.made.length], [1n, 0]);
  options.clock.advance(13 * hour);
  await moved.keepCurrent();
  assert.deepEqual([moved.own().sequence, kms.made.length], [2n, 2]);
  options.clock.advance(9 * hour);
  const before = kms.signatures;
  await moved.issue({ id: serverId, publicKey: newLocalKey().publicKey, dnsNames: [], ttlSeconds: 60 });
  assert.equal(kms.signatures, before + 1);
});

test('a key manager is not asked for another key while the disk refuses the last one', async (t) => {
  const kms = fakeKms();
  const options = { ...surroundings(t), keys: kms };
  const authorities = await openAuthorities(options);
  const made = kms.made.length;
  options.clock.advance(13 * hour);
  chmodSync(dirname(options.path), 0o777);
  for (let i = 0; i < 3; i++) {
    await assert.rejects(authorities.keepCurrent(), (error) => isFault(error, 'CAS0302'));
  }
  chmodSync(dirname(options.path), 0o700);
  await authorities.keepCurrent();
  assert.equal(kms.made.length, made + 2);
  assert.equal(authorities.own().x509Authorities.length, 2);
});

test('no SVID outlives its authority (S8), and none is issued for another trust domain', async (t) => {
  const options = surroundings(t);
  const authorities = await openAuthorities({ ...options, ttlSeconds: 600 });
  const { publicKey } = readCertificate(authorities.own().x509Authorities[0]?.der ?? new Uint8Array());
  const identity = await openOwnSvid(serverId, 3600, authorities, options.clock);
  assert.equal(identity.current()?.notAfter, 1_700_000_600_000);
  const id = workloadId(parseTrustDomain('other.example'), '/web');
  const request = { id, publicKey, dnsNames: [], ttlSeconds: 60 };
  await assert.rejects(authorities.issue(request), (error) => isFault(error, 'CAS0101'));
});

test('the server’s own SVID is replaced at half of its life, with a new key, and when the clock went back', async (t) => {
  const options = surroundings(t);
  const { clock } = options;
  const authorities = await openAuthorities(options);
  const identity = await openOwnSvid(serverId, 3600, authorities, clock);
  let changes = 0;
  identity.onChange(() => changes++);
  const first = identity.current();
  clock.advance(hour / 2 - 20_000);
  await identity.keepCurrent();
  assert.equal(identity.current(), first);
  clock.advance(20_000);
  await identity.keepCurrent();
  assert.equal(changes, 1);
  assert.notDeepEqual(identity.current()?.privateKey, first?.privateKey);
  clock.advance(-hour / 4);
  await identity.keepCurrent();
  assert.equal(changes, 2);
});

test('S8, S37: a jump of the clock past every authority issues nothing, says so, and costs nothing once the clock is right', async (t) => {
  const options = surroundings(t);
  const { clock, lines } = options;
  const authorities = await openAuthorities(options);
  const identity = await openOwnSvid(serverId, 3600, authorities, clock);
  const [bundle, svid] = [authorities.own(), identity.current()];
  for (const jump of [1000 * hour, -1000 * hour]) {
    clock.jump(jump);
    for (let second = 0; second < 250; second++) {
      clock.advance(1000);
      await assert.rejects(authorities.keepCurrent(), (error) => isFault(error, 'CAS0107'));
      await assert.rejects(identity.keepCurrent(), (error) => isFault(error, 'CAS0104'));
    }
    clock.jump(-jump);
    clock.advance(1000);
    await authorities.keepCurrent();
    await identity.keepCurrent();
    assert.equal(authorities.own(), bundle);
    assert.equal(identity.current(), svid);
  }
  assert.deepEqual(
    lines,
    Array.from({ length: 4 }, () => 'the clock jumped'),
  );
});

test('S37: a machine that slept for a weekend gets a new authority after five minutes, beside the old one, and the log says what agents need', async (t) => {
  const options = surroundings(t);
  const { clock, lines } = options;
  const authorities = await openAuthorities(options);
  const [first] = authorities.own().x509Authorities;
  clock.jump(60 * hour);
  await assert.rejects(authorities.keepCurrent());
  clock.advance(hour / 12);
  await authorities.keepCurrent();
  assert.equal(authorities.own().x509Authorities.length, 2);
  assert.deepEqual(authorities.own().x509Authorities[0], first);
  assert.match(lines.join(), /the clock jumped,no signing authority could sign, so there is a new one/);
});

test('S37: a server that starts after a weekend has a new authority at once, and says what agents need', async (t) => {
  const options = surroundings(t);
  await openAuthorities(options);
  options.clock.advance(60 * hour);
  const { x509Authorities, sequence } = (await openAuthorities(options)).own();
  assert.deepEqual([x509Authorities.length, sequence], [2, 2n]);
  assert.match(options.lines.join(), /^no signing authority could sign, so there is a new one/);
});

test('S7: no SVID for the key of an authority, prepared, active or old, nor for the server’s own', async (t) => {
  const options = surroundings(t);
  const { clock } = options;
  const authorities = await openAuthorities(options);
  const identity = await openOwnSvid(serverId, 3600, authorities, clock);
  const keyOf = (der: Uint8Array | undefined) => readCertificate(der ?? new Uint8Array()).publicKey;
  const refuses = async (publicKey: Uint8Array) => {
    const request = { id: workloadId(trustDomain, '/web'), publicKey, dnsNames: [], ttlSeconds: 60 };
    await assert.rejects(authorities.issue(request), (error) => isFault(error, 'CAS0102'));
  };
  clock.advance(13 * hour);
  await authorities.keepCurrent();
  const { x509Authorities } = authorities.own();
  assert.equal(x509Authorities.length, 2, 'one is active and one prepared');
  for (const { der } of x509Authorities) await refuses(keyOf(der));
  for (const { publicKey } of authorities.own().jwtAuthorities) await refuses(publicKey);
  clock.advance(8 * hour);
  await authorities.keepCurrent();
  for (const { der } of authorities.own().x509Authorities) await refuses(keyOf(der));
  const ownKeys = [keyOf(identity.current()?.chain[0])];
  await identity.keepCurrent();
  ownKeys.push(keyOf(identity.current()?.chain[0]));
  assert.notDeepEqual(ownKeys[0], ownKeys[1]);
  for (const key of ownKeys) await refuses(key);
});

test('FD-01, TB-02: the next JWT authority is in the bundle, with a new sequence number, before it signs a token', async (t) => {
  const options = surroundings(t);
  const { clock } = options;
  const authorities = await openAuthorities(options);
  const request = { id: serverId, audience: ['web'], ttlSeconds: 300, tokenId: false };
  const signers = new Set<unknown>();
  const published = new Map<string, number>();
  for (let minutes = 0; minutes < 72 * 60; minutes += 10) {
    for (const { keyId } of authorities.own().jwtAuthorities) {
      published.set(keyId, published.get(keyId) ?? minutes);
    }
    const { token } = await authorities.issueJwt(request);
    const [header = ''] = token.split('.');
    const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString());
    const first = published.get(kid);
    assert.ok(
      first === 0 || (first !== undefined && minutes >= first + 15),
      `signed ${minutes}, published ${first}`,
    );
    signers.add(kid);
    assert.equal(verifyJwtSvid(token, 'web', authorities, clock.now()).id, serverId);
    const before = authorities.own();
    clock.advance(hour / 6);
    await authorities.keepCurrent();
    const after = authorities.own();
    assert.equal(after.sequence > before.sequence, after !== before);
    // What was issued just before is good after, until it ends.
    assert.equal(verifyJwtSvid(token, 'web', authorities, clock.now() - hour / 6 + 299_000).id, serverId);
  }
  assert.ok(signers.size >= 3);
});

test('TB-03, FD-01: others are told to look for a new bundle at least five times before a new authority signs', async (t) => {
  for (const [ttlSeconds, hint] of [
    [86_400, 300],
    [600, 40],
    [5, 1],
  ] as const) {
    const authorities = await openAuthorities({ ...surroundings(t), ttlSeconds });
    assert.equal(authorities.own().refreshHint, hint);
    const jwks = bundleFromJwks(trustDomain, bundleToJwks(authorities.own()));
    assert.equal(jwks.refreshHint, hint);
    assert.equal(jwks.jwtAuthorities.length, 1);
  }
});

test('what is added to the bundle is in it until it ends, with the next sequence number each time, also after a restart', async (t) => {
  const options = surroundings(t);
  const { clock, store } = options;
  const ends = clock.now() + 1_000_000;
  const { certificate } = testCa('shop.example', { notBefore: clock.now() - 1000, notAfter: ends });
  const added = { x509Authorities: [{ der: certificate.der, tainted: false }], jwtAuthorities: [] };
  const authorities = await openAuthorities(options);
  const before = authorities.own();

  store.broken = true;
  await assert.rejects(authorities.append(added), (error) => isFault(error, 'STO0201'));
  assert.equal(authorities.own(), before);
  store.broken = false;
  await authorities.append(added);
  const after = authorities.own();
  assert.deepEqual(after.x509Authorities, [...before.x509Authorities, ...added.x509Authorities]);
  assert.equal(after.sequence, before.sequence + 1n);

  await authorities.append(added);
  await authorities.keepCurrent();
  assert.equal(authorities.own(), after);
  assert.deepEqual((await openAuthorities(options)).own(), after);

  clock.advance(1_001_000);
  await authorities.keepCurrent();
  assert.equal(authorities.own().x509Authorities.length, before.x509Authorities.length);
  assert.equal(authorities.own().sequence, after.sequence + 1n);
});

test('a JWT authority is added under a key ID of its own', async (t) => {
  const authorities = await openAuthorities(surroundings(t));
  const [own] = authorities.own().jwtAuthorities;
  assert.ok(own);
  const { publicKey } = newLocalKey();
  const addKey = (...keyIds: string[]) =>
    authorities.append({
      x509Authorities: [],
      jwtAuthorities: keyIds.map((keyId) => ({ ...own, keyId, publicKey: newLocalKey().publicKey })),
    });
  const taken = (error: unknown) => isFault(error, 'SRV0607');
  await assert.rejects(addKey(own.keyId), taken);
  await assert.rejects(addKey('k', 'k'), taken);
  const key = { ...own, keyId: 'k', publicKey };
  await authorities.append({ x509Authorities: [], jwtAuthorities: [own, key] });
  assert.deepEqual(authorities.own().jwtAuthorities.slice(1), [key]);
});
