import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createListeners } from '../base/listeners.js';
import { parseSpiffeId, type SpiffeId } from '../spiffe/id.js';
import { silentLog } from '../telemetry/log.js';
import type { VerifiedPeer } from '../transport/verified-peer.js';
import type { EncodedResource } from '../wire/resource.js';
import { type AgentAuthority, policySourceForAgents, policySourceForEnvoys } from './policy-source.js';
import { createPolicyState, type PolicyState } from './policy-state.js';

const policy = `version: 1
trustDomains: { shop: { id: shop.example } }
callers: { web: shop:/web }
services:
  orders: { identity: shop:/orders, protocol: http }
  orders-admin: { identity: shop:/orders, protocol: http }
  stock: { identity: shop:/stock, protocol: http }
rules:
  - { name: reads, from: web, to: [orders, orders-admin, stock], allow: GET /v1/** }
`;
const agent = { id: parseSpiffeId('spiffe://shop.example/spire/agent/join_token/a') } as VerifiedPeer;

test('an agent gets exactly the policies of the services whose identity it may serve, under their identity', (t) => {
  const { state, authority } = parts(t);
  const view = policySourceForAgents(state, authority).open(agent, () => {});
  assert.equal(view.all(), 'unknown');
  assert.equal(view.resource('plastron/http/orders'), 'unknown');
  offer(state, policy);
  assert.deepEqual(named(view.all()), []);
  authority.set('spiffe://shop.example/orders', 'spiffe://shop.example/web');
  assert.deepEqual(named(view.all()), [
    ['plastron/http/orders', 'spiffe://shop.example/orders'],
    ['plastron/http/orders-admin', 'spiffe://shop.example/orders'],
  ]);
  assert.equal(view.resource('plastron/http/stock'), 'absent');
  assert.equal(view.resource('plastron/http/nothing'), 'absent');
  authority.set('spiffe://shop.example/stock');
  assert.deepEqual(named(view.all()), [['plastron/http/stock', 'spiffe://shop.example/stock']]);
});

test('an agent is told of every change of policies and of what it may serve, until its view is closed', (t) => {
  const { state, authority } = parts(t);
  let changes = 0;
  const view = policySourceForAgents(state, authority).open(agent, () => changes++);
  offer(state, policy);
  authority.set('spiffe://shop.example/orders');
  assert.equal(changes, 2);
  view.close();
  offer(state, policy.replace('GET', 'POST'));
  authority.set();
  assert.equal(changes, 2);
});

test('an Envoy gets an explicit deny-all under every name that has no policy, also before the first policy', (t) => {
  const { state } = parts(t);
  const view = policySourceForEnvoys<null>(state).open(null, () => {});
  const before = view.resource('plastron/http/orders');
  assert.ok(typeof before === 'object' && before.name === 'plastron/http/orders');
  offer(state, policy);
  const after = view.resource('plastron/http/orders');
  assert.ok(typeof after === 'object' && after.version !== before.version);
  const unknown = view.resource('plastron/http/nothing');
  assert.ok(typeof unknown === 'object' && unknown.name === 'plastron/http/nothing');
  assert.equal(named(view.all()).length, 3);
});

type FakeAuthority = AgentAuthority & { set(...ids: string[]): void };

function parts(t: TestContext): { state: PolicyState; authority: FakeAuthority } {
  const state = createPolicyState({ folder: '/policy', clock: { now: Date.now }, log: silentLog });
  t.after(() => state.close());
  let authorised: ReadonlySet<SpiffeId> = new Set();
  const { onChange, tell } = createListeners();
  const authority: FakeAuthority = {
    follow: (id, changed) => {
      const mayServe = (asked: SpiffeId) => id === agent.id && authorised.has(asked);
      return { mayServe, close: onChange(changed) };
    },
    set: (...ids) => {
      authorised = new Set(ids.map(parseSpiffeId));
      tell();
    },
  };
  return { state, authority };
}

function offer(state: PolicyState, text: string): void {
  state.offer([{ name: 'a.yaml', path: 'a.yaml', text }]);
  assert.equal(state.refusal(), undefined);
}

function named(resources: readonly EncodedResource[] | 'unknown'): (readonly [string, string | undefined])[] {
  assert.ok(resources !== 'unknown');
  return resources.map(({ name, aliases }) => [name, aliases?.[0]] as const);
}
