import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentEntry, shop, standingClock, workloadWith } from '../../test/support/agent.js';
import { testCa } from '../../test/support/ca.js';
import { parseSelector } from '../registration/selector.js';
import { parseTrustDomain } from '../spiffe/id.js';
import type { X509Svid } from '../spiffe/x509-svid.js';
import { createIdentities } from './identities.js';
import { type AgentEntry, byPrecedence, type Snapshot } from './snapshot.js';

const ca = testCa('shop.example');
const partner = testCa('partner.example');
const partnerDomain = parseTrustDomain('partner.example');
const web = agentEntry('web');
const webWorkload = workloadWith('unix:uid:1000', 'unix:path:/opt/web');

function snapshotOf(entries: readonly AgentEntry[], change: Partial<Snapshot> = {}): Snapshot {
  const svids = new Map<string, X509Svid>(
    entries.map((entry) => [entry.id, ca.svid(entry.spiffeId).svid] as const),
  );
  const federated = new Map([[partnerDomain, partner.bundle]]);
  return { entries: [...entries].sort(byPrecedence), svids, bundle: ca.bundle, federated, ...change };
}

function published(snapshot: Snapshot, clock = standingClock()) {
  const identities = createIdentities(clock);
  identities.publish(snapshot);
  return identities;
}

function idsOf(found: ReturnType<ReturnType<typeof createIdentities>['identitiesOf']>): string[] {
  assert.notEqual(found, 'unknown');
  return found === 'unknown' ? [] : found.svids.map(({ id }) => id);
}

test('before the first sync everything is unknown, and after a withdrawal it is again', () => {
  const identities = createIdentities(standingClock());
  assert.equal(identities.identitiesOf(webWorkload), 'unknown');
  assert.equal(identities.entriesOf(webWorkload), 'unknown');
  identities.publish(snapshotOf([web]));
  assert.deepEqual(idsOf(identities.identitiesOf(webWorkload)), [web.spiffeId]);
  identities.withdraw();
  assert.equal(identities.identitiesOf(webWorkload), 'unknown');
  assert.equal(identities.entriesOf(webWorkload), 'unknown');
});

test('an entry matches a workload that has every one of its selectors, and no other', () => {
  const both = agentEntry('web', {
    selectors: [parseSelector('unix:path:/opt/web'), parseSelector('unix:uid:1000')],
  });
  const identities = published(snapshotOf([both]));
  assert.deepEqual(identities.entriesOf(webWorkload), [both]);
  assert.deepEqual(identities.entriesOf(workloadWith('unix:path:/opt/web')), []);
  assert.deepEqual(identities.entriesOf(workloadWith('unix:uid:1000')), []);
  assert.deepEqual(published(snapshotOf([agentEntry('web', { selectors: [] })])).entriesOf(webWorkload), []);
});

test('a workload that no entry matches gets the own bundle and nothing else', () => {
  const found = published(snapshotOf([web])).identitiesOf(workloadWith('unix:uid:7'));
  assert.deepEqual(found, { svids: [], bundles: [ca.bundle] });
});

test('the default SVID is that of the oldest entry; entry IDs settle a tie; a hint orders nothing', () => {
  const match = { selectors: [parseSelector('unix:uid:1000')] };
  const entries = [
    agentEntry('c', { ...match, createdAt: 5, hint: 'a' }),
    agentEntry('b', { ...match, createdAt: 5 }),
    agentEntry('a', { ...match, createdAt: 9 }),
    agentEntry('d', { ...match, createdAt: 4 }),
  ];
  assert.deepEqual(
    idsOf(published(snapshotOf(entries)).identitiesOf(webWorkload)).map((id) => id.at(-1)),
    ['d', 'b', 'c', 'a'],
  );
});

test('while the default SVID is missing or expired no other takes its place', () => {
  const first = agentEntry('first', { createdAt: 1, selectors: web.selectors });
  const whole = snapshotOf([first, web]);
  const svids = new Map(whole.svids);
  svids.delete(first.id);
  assert.equal(published({ ...whole, svids }).identitiesOf(webWorkload), 'unknown');

  const clock = standingClock();
  const expiring = ca.svid(first.spiffeId, { notAfter: clock.now() + 5000 }).svid;
  const identities = published({ ...whole, svids: new Map(whole.svids).set(first.id, expiring) }, clock);
  assert.deepEqual(idsOf(identities.identitiesOf(webWorkload)), [first.spiffeId, web.spiffeId]);
  clock.advance(5000);
  assert.equal(identities.identitiesOf(webWorkload), 'unknown');
});

test('a further SVID that is missing is left out, and two entries of one identity give it once', () => {
  const later = agentEntry('later', { createdAt: web.createdAt + 1, selectors: web.selectors });
  const twin = agentEntry('twin', { ...web, id: 'twin', createdAt: web.createdAt + 2 });
  const whole = snapshotOf([web, later, twin]);
  const svids = new Map(whole.svids);
  svids.delete(later.id);
  const found = published({ ...whole, svids }).identitiesOf(webWorkload);
  assert.deepEqual(idsOf(found), [web.spiffeId]);
  assert.equal(found !== 'unknown' && found.svids[0], svids.get(web.id));
});

test('a federated bundle comes only to workloads whose entry federates with its trust domain, and once it is there', () => {
  const federating = agentEntry('web', {
    federatesWith: [partnerDomain, parseTrustDomain('unknown.example')],
  });
  const with_ = published(snapshotOf([federating])).identitiesOf(webWorkload);
  assert.deepEqual(with_ !== 'unknown' && with_.bundles, [ca.bundle, partner.bundle]);
  const without = published(snapshotOf([web])).identitiesOf(webWorkload);
  assert.deepEqual(without !== 'unknown' && without.bundles, [ca.bundle]);
});

test('listeners hear of a sync only when something differs', () => {
  const identities = createIdentities(standingClock());
  let heard = 0;
  const stop = identities.onChange(() => heard++);
  const snapshot = snapshotOf([web]);
  identities.publish(snapshot);
  assert.equal(heard, 1);
  identities.publish({ ...snapshot, entries: [...snapshot.entries], svids: new Map(snapshot.svids) });
  assert.equal(heard, 1);
  const changes: Partial<Snapshot>[] = [
    { entries: [agentEntry('web', { revision: 1 })] },
    { svids: new Map([[web.id, ca.svid(web.spiffeId).svid]]) },
    { bundle: testCa(shop).bundle },
    { federated: new Map() },
  ];
  for (const [index, change] of changes.entries()) {
    identities.publish({ ...snapshot, ...change });
    identities.publish(snapshot);
    assert.equal(heard, 3 + 2 * index);
  }
  stop();
  identities.withdraw();
  assert.equal(heard, 9);
});
