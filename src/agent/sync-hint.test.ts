import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentEntry, standingClock } from '../../test/support/agent.js';
import { testCa } from '../../test/support/ca.js';
import { denyAllFilter } from '../envoy/rbac/http-filter.js';
import { createIdentities } from './identities.js';
import type { PolicyFeed } from './policy-relay.js';
import { syncOnNewService } from './sync-hint.js';

const web = agentEntry('web');

test('a policy for an identity without entry asks for a sync, others do not', () => {
  const identities = createIdentities(standingClock());
  let policies: ReturnType<PolicyFeed['current']> = 'unknown';
  const listeners = new Set<() => void>();
  const feed: PolicyFeed = {
    current: () => policies,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const send = (...ids: string[]) => {
    policies = new Map(ids.map((id) => [id, { ...denyAllFilter(id), aliases: [id] }]));
    for (const listener of listeners) listener();
  };
  let asked = 0;
  const stop = syncOnNewService(feed, identities, () => asked++);

  send(web.spiffeId);
  assert.equal(asked, 0, 'the first sync is on its way anyway');
  const bundle = testCa('shop.example').bundle;
  identities.publish({ entries: [web], svids: new Map(), bundle, federated: new Map() });
  send(web.spiffeId);
  assert.equal(asked, 0);
  send(web.spiffeId, 'spiffe://shop.example/orders');
  assert.equal(asked, 1);
  stop();
  send('spiffe://shop.example/orders');
  assert.equal(asked, 1);
});
