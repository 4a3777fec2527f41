import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseSpiffeId, parseTrustDomain, type SpiffeId } from '../spiffe/id.js';
import { authorisedEntries } from './authorised.js';
import { checkEntry } from './check-entry.js';
import type { Entry } from './entry.js';
import { isSatisfied, selectorSet } from './match.js';
import { parseSelector } from './selector.js';
import { type NodeFacts, whyIdentity } from './why-identity.js';

const trustDomain = parseTrustDomain('shop.example');
const id = (path: string) => parseSpiffeId(`spiffe://shop.example${path}`);
const serverId = id('/spire/server');
const now = 1000;

function entry(name: string, path: string, parent: string, selectors: string[], expiresAt = 0): Entry {
  const content = checkEntry(
    { spiffeId: id(path), parentId: id(parent), selectors: selectors.map(parseSelector), expiresAt },
    trustDomain,
  );
  return { ...content, id: name, createdAt: 1, revision: 0 };
}

function node(path: string, more: Partial<NodeFacts> = {}): NodeFacts {
  return { id: id(path), selectors: [], banned: false, svidExpiresAt: now + 1, ...more };
}

function ask(entries: readonly Entry[], nodes: readonly NodeFacts[], selectors?: string[]) {
  const tree = {
    entriesFor: (of: SpiffeId) => entries.filter(({ spiffeId }) => spiffeId === of),
    childrenOf: (of: SpiffeId) => entries.filter(({ parentId }) => parentId === of),
  };
  const asked = selectors && { selectors: selectors.map(parseSelector) };
  return { tree, answers: whyIdentity({ spiffeId: id('/web'), serverId, tree, nodes, now, ...asked }) };
}

const agent = '/spire/agent/join_token/1';

test('an identity is issued by the agent itself, by an alias of the node, and through entries in between', () => {
  const labelled = node(agent, { selectors: [parseSelector('node:a'), parseSelector('node:b')] });
  const alias = entry('alias', '/rack', '/spire/server', ['node:a']);
  const between = entry('between', '/middle', '/rack', ['unix:uid:9']);
  for (const entries of [
    [entry('web', '/web', agent, ['unix:uid:1'])],
    [alias, entry('web', '/web', '/rack', ['unix:uid:1'])],
    [alias, between, entry('web', '/web', '/middle', ['unix:uid:1'])],
  ]) {
    const [answer] = ask(entries, [labelled], ['unix:uid:1', 'unix:gid:1']).answers;
    assert.equal(answer?.distance, 0);
    assert.equal(answer?.nodes[0]?.alias?.id, entries.length > 1 ? 'alias' : undefined);
  }
});

test('what is in the way is named: selectors of the workload and of the node, expiry, ban, an SVID that has ended', () => {
  const alias = entry('alias', '/rack', '/spire/server', ['node:a', 'node:b', 'node:c']);
  const web = entry('web', '/web', '/rack', ['unix:uid:1', 'unix:gid:1'], now);
  const near = node(agent, { selectors: ['node:a', 'node:c'].map(parseSelector), banned: true });
  const [answer] = ask([alias, web], [node('/spire/agent/other'), near], ['unix:uid:1']).answers;
  assert.equal(answer?.expired, true);
  assert.deepEqual(answer?.lacking, [parseSelector('unix:gid:1')]);
  const [first] = answer?.nodes ?? [];
  assert.equal(first?.node, near);
  assert.deepEqual(
    [first?.reached, first?.lacking, first?.state],
    [false, [parseSelector('node:b')], 'banned'],
  );
  const [old] = ask(
    [entry('web', '/web', agent, ['unix:uid:1'])],
    [node(agent, { svidExpiresAt: now })],
  ).answers;
  assert.equal(old?.nodes[0]?.state, 'expired');
});

test('the nearest entry comes first', () => {
  const entries = [
    entry('elsewhere', '/web', '/nowhere', ['unix:uid:1']),
    entry('two-lacking', '/web', agent, ['unix:uid:1', 'unix:gid:1']),
    entry('one-lacking', '/web', agent, ['unix:uid:1', 'unix:user:x']),
    entry('alias', '/web', '/spire/server', ['node:a']),
  ];
  const { answers } = ask(entries, [node(agent)], ['unix:user:x']);
  assert.deepEqual(
    answers.map((answer) => answer.entry.id),
    ['one-lacking', 'two-lacking', 'elsewhere', 'alias'],
  );
});

test('in any tree the answer is yes exactly when the server would issue the identity to that workload on that node', () => {
  const paths = ['/web', '/a', '/b', '/spire/server', agent, '/spire/agent/other'];
  const anyEntry = fc.record({
    path: fc.constantFrom('/web', '/a', '/b'),
    parent: fc.constantFrom(...paths),
    selector: fc.constantFrom('unix:uid:1', 'unix:uid:2', 'node:a'),
    expiresAt: fc.constantFrom(0, now, now + 1),
  });
  const anyNode = fc.record({
    selectors: fc.subarray(['node:a', 'node:b']).map((texts) => texts.map(parseSelector)),
    banned: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(anyEntry, { maxLength: 6 }), anyNode, (drafts, facts) => {
      const entries = drafts.map(({ path, parent, selector, expiresAt }, at) =>
        entry(String(at), path, parent, [selector], expiresAt),
      );
      const one = node(agent, facts);
      const { tree, answers } = ask(entries, [one], ['unix:uid:1']);
      const found = selectorSet([parseSelector('unix:uid:1')]);
      const issued = [...authorisedEntries(one, serverId, tree).values()].some(
        ({ spiffeId, selectors, expiresAt }) =>
          spiffeId === id('/web') &&
          isSatisfied(selectors, found) &&
          (expiresAt === 0 || expiresAt > now) &&
          !one.banned,
      );
      assert.equal(answers[0]?.distance === 0, issued);
    }),
  );
});
