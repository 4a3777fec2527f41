import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentEntry, shop, standingClock, workloadWith } from '../../test/support/agent.js';
import { testCa } from '../../test/support/ca.js';
import { parseSelector } from '../registration/selector.js';
import { parseTrustDomain } from '../spiffe/id.js';
import { createIdentities } from './identities.js';
import { type AgentEntry, byPrecedence, type Snapshot } from './snapshot.js';
import { workloadViews } from './workload-views.js';

const ca = testCa(shop);
const partner = testCa('partner.example');
const missing = parseTrustDomain('missing.example');
const workload = workloadWith('unix:uid:1000');
const selectors = [parseSelector('unix:uid:1000')];
const entry = (name: string, more: Partial<AgentEntry> = {}) => agentEntry(name, { selectors, ...more });

function viewsOf(entries: readonly AgentEntry[], notAfter = Date.now() + 60_000) {
  const clock = standingClock();
  const identities = createIdentities(clock);
  const svids = new Map(entries.map(({ id, spiffeId }) => [id, ca.svid(spiffeId, { notAfter }).svid]));
  const snapshot: Snapshot = {
    entries: [...entries].sort(byPrecedence),
    svids,
    bundle: ca.bundle,
    federated: new Map([[partner.trustDomain, partner.bundle]]),
  };
  const views = workloadViews(identities, clock);
  return { identities, snapshot, clock, views };
}

test('WA-11: the entry whose hint says so is the default one, else the oldest; a tie is always settled in the same way', () => {
  const entries = [
    entry('young', { createdAt: 3 }),
    entry('tie-b', { createdAt: 2 }),
    entry('tie-a', { createdAt: 2 }),
    entry('old', { createdAt: 1 }),
    agentEntry('foreign'),
  ];
  const orderOf = (given: readonly AgentEntry[]) => {
    const { identities, snapshot, views } = viewsOf(given);
    identities.publish(snapshot);
    const view = views.of(workload);
    return view === 'unknown' ? view : view.identities.map(({ id }) => id.split('/').at(-1));
  };
  assert.deepEqual(orderOf(entries), ['old', 'tie-a', 'tie-b', 'young']);
  assert.deepEqual(orderOf([...entries].reverse()), ['old', 'tie-a', 'tie-b', 'young']);
  const chosen = entry('chosen', { createdAt: 9, hint: 'default' });
  assert.deepEqual(orderOf([...entries, chosen]), ['chosen', 'old', 'tie-a', 'tie-b', 'young']);
});

test('a view has the bundles that are known of what the entries of the workload federate with, and of nothing else', () => {
  const federated = entry('web', { federatesWith: [partner.trustDomain, missing] });
  const { identities, snapshot, views } = viewsOf([federated, entry('batch')]);
  assert.equal(views.of(workload), 'unknown');
  identities.publish(snapshot);
  const view = views.of(workload);
  assert.ok(view !== 'unknown');
  assert.equal(view.bundle, ca.bundle);
  assert.deepEqual(view.federated, [partner.bundle]);
  const stranger = views.of(workloadWith('unix:uid:1'));
  assert.ok(stranger !== 'unknown');
  assert.deepEqual([stranger.identities, stranger.federated], [[], []]);
  identities.withdraw();
  assert.equal(views.of(workload), 'unknown');
});

test('an identity stays in the view when its SVID has expired, without it', () => {
  const { identities, snapshot, clock, views } = viewsOf([entry('web')], Date.now() + 1000);
  identities.publish(snapshot);
  clock.advance(2000);
  const view = views.of(workload);
  assert.ok(view !== 'unknown');
  assert.deepEqual(
    view.identities.map(({ id, svid }) => [id, svid]),
    [['spiffe://shop.example/web', undefined]],
  );
});
