import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseSpiffeId, parseTrustDomain, type SpiffeId } from '../spiffe/id.js';
import { aboveOf, authorisedEntries, isAbove } from './authorised.js';
import { checkEntry } from './check-entry.js';
import type { Entry } from './entry.js';
import { parseSelector } from './selector.js';

const trustDomain = parseTrustDomain('shop.example');
const serverId = parseSpiffeId('spiffe://shop.example/spire/server');
const agentId = parseSpiffeId('spiffe://shop.example/spire/agent/join_token/a');
const otherAgentId = parseSpiffeId('spiffe://shop.example/spire/agent/join_token/b');

function entry(id: string, spiffeId: string, parentId: string, ...selectors: string[]): Entry {
  const content = { spiffeId, parentId, selectors: selectors.map(parseSelector) };
  return { ...checkEntry(content, trustDomain), id, createdAt: 0, revision: 0 };
}

function byParent(entries: readonly Entry[]) {
  return { childrenOf: (parent: SpiffeId) => entries.filter((one) => one.parentId === parent) };
}

function authorised(node: { id: SpiffeId; selectors?: string[] }, entries: readonly Entry[]): string[] {
  const found = { id: node.id, selectors: (node.selectors ?? []).map(parseSelector) };
  return [...authorisedEntries(found, serverId, byParent(entries)).keys()].sort();
}

const web = 'spiffe://shop.example/web';
const orders = 'spiffe://shop.example/orders';
const alias = 'spiffe://shop.example/node/demo';

test('an agent is authorised for the children of its ID and for theirs, and for no other agent’s (S5)', () => {
  const entries = [
    entry('web', web, agentId, 'unix:uid:1'),
    entry('below-web', orders, web, 'unix:uid:2'),
    entry('other', orders, otherAgentId, 'unix:uid:3'),
  ];
  assert.deepEqual(authorised({ id: agentId }, entries), ['below-web', 'web']);
  assert.deepEqual(authorised({ id: otherAgentId }, entries), ['other']);
});

test('a node alias counts for the nodes that have all its selectors, and is no workload itself', () => {
  const entries = [
    entry('alias', alias, serverId, 'x509pop:ca:1', 'x509pop:cn:a'),
    entry('web', web, alias, 'unix:uid:1'),
  ];
  const both = ['x509pop:ca:1', 'x509pop:cn:a', 'x509pop:cn:more'];
  assert.deepEqual(authorised({ id: agentId, selectors: both }, entries), ['web']);
  assert.deepEqual(authorised({ id: agentId, selectors: ['x509pop:ca:1'] }, entries), []);
  assert.deepEqual(authorised({ id: agentId }, entries), []);
});

test('the alias that a join token brings is a child of the agent, so its children are the agent’s too', () => {
  const entries = [
    entry('alias', alias, agentId, `spiffe_id:${agentId}`),
    entry('web', web, alias, 'unix:uid:1'),
  ];
  assert.deepEqual(authorised({ id: agentId }, entries), ['alias', 'web']);
  assert.deepEqual(authorised({ id: otherAgentId }, entries), []);
});

test('entries that name each other as parents end, and give nothing to an agent outside the circle', () => {
  const entries = [entry('a', web, orders, 'unix:uid:1'), entry('b', orders, web, 'unix:uid:1')];
  assert.deepEqual(authorised({ id: agentId }, entries), []);
  assert.deepEqual(authorised({ id: agentId }, [...entries, entry('c', web, agentId, 'unix:uid:2')]), [
    'a',
    'b',
    'c',
  ]);
});

test('in any tree the result is the least set that is closed under parenthood from the roots of the node, looked at from either end', () => {
  const ids = ['/a', '/b', '/c', '/d', '/e'].map((path) => `spiffe://shop.example${path}`);
  const edge = fc.record({
    child: fc.constantFrom(...ids),
    parent: fc.constantFrom(...ids, agentId, serverId, otherAgentId),
    selector: fc.constantFrom('node:1', 'node:2'),
  });
  fc.assert(
    fc.property(fc.array(edge, { maxLength: 12 }), (edges) => {
      const entries = edges.map((one, index) => entry(`e${index}`, one.child, one.parent, one.selector));
      const reached = new Set<string>([agentId]);
      for (const one of entries) {
        const selector = one.selectors[0];
        if (one.parentId === serverId && selector?.value === '1') reached.add(one.spiffeId);
      }
      for (let round = 0; round < entries.length; round++) {
        for (const one of entries) if (reached.has(one.parentId)) reached.add(one.spiffeId);
      }
      const expected = entries.filter((one) => reached.has(one.parentId)).map((one) => one.id);
      assert.deepEqual(authorised({ id: agentId, selectors: ['node:1'] }, entries), expected.sort());
      const tree = {
        ...byParent(entries),
        entriesFor: (id: SpiffeId) => entries.filter((one) => one.spiffeId === id),
      };
      const node = { id: agentId, selectors: [parseSelector('node:1')] };
      const fromBelow = entries.filter((one) => isAbove(node, aboveOf(one.parentId, serverId, tree)));
      assert.deepEqual(fromBelow.map((one) => one.id).sort(), expected);
    }),
  );
});
