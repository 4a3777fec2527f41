import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentEntry, standingClock, workloadWith } from '../../test/support/agent.js';
import { testCa } from '../../test/support/ca.js';
import { recordingLog } from '../../test/support/log.js';
import { contentVersion } from '../base/digest.js';
import { denyAllFilter } from '../envoy/rbac/http-filter.js';
import { vouchFor } from '../registration/attested-workload.js';
import { anyOf, decode, encodeAny } from '../wire/messages.js';
import type { EncodedResource } from '../wire/resource.js';
import type { Answer, View } from '../xds/source.js';
import { createIdentities } from './identities.js';
import { policyRelay } from './policy-relay.js';
import { type AgentEntry, byPrecedence } from './snapshot.js';

const web = agentEntry('web');
const orders = agentEntry('orders');
const webWorkload = workloadWith('unix:path:/opt/web');

/** A filter whose bytes tell whose policy it is. */
function filter(name: string, mark: string, ...aliases: string[]): EncodedResource {
  const any = encodeAny('envoy.config.core.v3.TypedExtensionConfig', {
    name,
    typed_config: anyOf('envoy.extensions.filters.http.rbac.v3.RBAC', { rules_stat_prefix: mark }),
  });
  return { name, version: contentVersion(any), any, aliases };
}

function inside(answer: Answer): { name: string | undefined; mark: string | undefined } | Answer {
  if (typeof answer === 'string') return answer;
  const { value = Buffer.alloc(0) } = decode('google.protobuf.Any', answer.any);
  const { name, typed_config } = decode('envoy.config.core.v3.TypedExtensionConfig', value);
  const config = typed_config as { value: Buffer };
  const { rules_stat_prefix } = decode('envoy.extensions.filters.http.rbac.v3.RBAC', config.value);
  assert.equal(answer.name, name);
  const deniesAll = Buffer.from(denyAllFilter(answer.name).any).equals(answer.any);
  return { name, mark: deniesAll ? 'denied' : rules_stat_prefix };
}

const webPolicy = filter('plastron/http/web', 'web', web.spiffeId);
const ordersPolicy = filter('plastron/http/orders', 'orders', orders.spiffeId);

function setUp(policies: EncodedResource[] | 'unknown', entries: AgentEntry[] | 'unknown') {
  const identities = createIdentities(standingClock());
  const publish = (list: AgentEntry[]) =>
    identities.publish({
      entries: [...list].sort(byPrecedence),
      svids: new Map(),
      bundle: testCa('shop.example').bundle,
      federated: new Map(),
    });
  if (entries !== 'unknown') publish(entries);
  const asMap = (list: EncodedResource[]) => new Map(list.map((policy) => [policy.name, policy]));
  let current = policies === 'unknown' ? policies : asMap(policies);
  const listeners = new Set<() => void>();
  const log = recordingLog();
  const relay = policyRelay({
    feed: {
      current: () => current,
      onChange(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    identities,
    log,
  });
  const send = (list: EncodedResource[]) => {
    current = asMap(list);
    for (const listener of listeners) listener();
  };
  return { relay, log, publish, send, listeners, identities };
}

function open(relay: ReturnType<typeof policyRelay>, workload = webWorkload): View {
  return relay.open(workload, () => undefined);
}

test('a workload gets the policy of its own service, byte for byte, under the full name', () => {
  const view = open(setUp([webPolicy, ordersPolicy], [web, orders]).relay);
  assert.equal(view.resource('plastron/http/web'), webPolicy);
  assert.deepEqual(view.all(), [webPolicy]);
});

test('the policy of another service, an unknown service and a name without meaning are denied by that name', () => {
  const view = open(setUp([webPolicy, ordersPolicy], [web, orders]).relay);
  for (const name of ['plastron/http/orders', 'plastron/http/none', 'plastron/http/', 'other']) {
    assert.deepEqual(inside(view.resource(name)), { name, mark: 'denied' });
  }
  assert.equal(view.resource(''), 'absent');
});

test('the short name means the service of the default identity, and the inner name is the short one', () => {
  const older = { ...orders, selectors: web.selectors, createdAt: web.createdAt - 1 };
  const both = open(setUp([webPolicy, ordersPolicy], [web, older]).relay);
  assert.deepEqual(inside(both.resource('plastron/http')), { name: 'plastron/http', mark: 'orders' });
  assert.equal(both.resource('plastron/http/web'), webPolicy);
  const one = open(setUp([webPolicy, ordersPolicy], [web]).relay);
  assert.deepEqual(inside(one.resource('plastron/http')), { name: 'plastron/http', mark: 'web' });
});

test('a renamed policy is encoded once and has a version of its own', () => {
  const { relay } = setUp([webPolicy], [web]);
  const short = open(relay).resource('plastron/http');
  assert.equal(open(relay).resource('plastron/http'), short);
  assert.notEqual(typeof short !== 'string' && short.version, webPolicy.version);
});

test('an identity without policy, and a workload without identity, are denied explicitly', () => {
  const denied = { name: 'plastron/http', mark: 'denied' };
  assert.deepEqual(inside(open(setUp([ordersPolicy], [web]).relay).resource('plastron/http')), denied);
  assert.deepEqual(inside(open(setUp([webPolicy], []).relay).resource('plastron/http')), denied);
});

test('two policies for one identity are ambiguous: the short name is denied, and the log says so', () => {
  const second = filter('plastron/http/shopfront', 'shopfront', web.spiffeId);
  const { relay, log } = setUp([webPolicy, second], [web]);
  const view = open(relay);
  assert.deepEqual(inside(view.resource('plastron/http')), { name: 'plastron/http', mark: 'denied' });
  assert.equal(log.lines[0]?.level, 'warn');
  assert.equal(view.resource('plastron/http/shopfront'), second);
});

test('before the first sync, of entries or of policies, and for a process that has gone, nothing is said', () => {
  const gone = vouchFor({ ...webWorkload, isAlive: () => false });
  const views = [
    open(setUp('unknown', [web]).relay),
    open(setUp([webPolicy], 'unknown').relay),
    open(setUp([webPolicy], [web]).relay, gone),
  ];
  for (const view of views) {
    assert.equal(view.resource('plastron/http'), 'unknown');
    assert.equal(view.resource('plastron/http/web'), 'unknown');
    assert.equal(view.all(), 'unknown');
  }
});

test('a view hears of new policies and of new entries until it is closed', () => {
  const { relay, publish, send, listeners } = setUp('unknown', 'unknown');
  let heard = 0;
  const view = relay.open(webWorkload, () => heard++);
  send([]);
  publish([]);
  assert.equal(heard, 2);
  assert.deepEqual(inside(view.resource('plastron/http/web')), { name: 'plastron/http/web', mark: 'denied' });
  publish([web]);
  send([webPolicy]);
  assert.equal(heard, 4);
  assert.equal(view.resource('plastron/http/web'), webPolicy);
  view.close();
  publish([]);
  assert.equal(heard, 4);
  assert.equal(listeners.size, 0);
});
