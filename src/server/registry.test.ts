import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fault, isFault } from '../base/faults/fault.js';
import { authorisedEntries } from '../registration/authorised.js';
import { checkEntry } from '../registration/check-entry.js';
import type { Entry } from '../registration/entry.js';
import { parseSpiffeId, parseTrustDomain, type SpiffeId } from '../spiffe/id.js';
import { agentIdentities } from './agent-identities.js';
import { watchAuthorised } from './authorised-watch.js';
import type { AgentRecord, ServerStore } from './ports.js';
import { openRegistry } from './registry.js';

const trustDomain = parseTrustDomain('shop.example');
const agent: AgentRecord = {
  id: parseSpiffeId('spiffe://shop.example/spire/agent/x509pop/a'),
  attestationType: 'x509pop',
  selectors: [{ type: 'node', value: '1' }],
  canReattest: true,
  banned: false,
  serial: '1',
  expiresAt: 0,
  nextSerial: '',
  nextExpiresAt: 0,
  version: '',
};

function entry(id: string, path: string, parent: string, more: Partial<Entry> = {}): Entry {
  const content = checkEntry(
    {
      spiffeId: `spiffe://shop.example${path}`,
      parentId: parent.startsWith('/') ? `spiffe://shop.example${parent}` : parent,
      selectors: [{ type: 'node', value: '1' }],
    },
    trustDomain,
  );
  return { ...content, id, createdAt: 0, revision: 0, ...more };
}

/** A store that takes every write, or fails every write. */
function fakeStore(entries: Entry[], agents = [agent]) {
  const store = {
    broken: false,
    entryPages: async function* () {
      yield entries;
    },
    agents: async () => agents,
    unsettledSerials: async () => [],
    restoredAt: async () => undefined,
    createEntries: async (created: readonly Entry[]) => {
      check();
      return created.map((one) => ({ kind: 'written', entry: one }) as const);
    },
    deleteEntries: async (ids: readonly string[]) => {
      check();
      return ids.map(() => true);
    },
    banAgent: async () => {
      check();
      return { ...agent, banned: true };
    },
  };
  const check = () => {
    if (store.broken) throw fault('STO0201', { path: 'p' });
  };
  return store;
}

function open(store: ReturnType<typeof fakeStore>, now = 0) {
  // Only what these tests call.
  return openRegistry(store as Partial<ServerStore> as ServerStore, trustDomain, { now: () => now });
}

test('with a store that fails everything is still read, and what was not written does not show (S37)', async () => {
  const store = fakeStore([entry('web', '/web', agent.id)]);
  const registry = await open(store);
  let changes = 0;
  registry.onChange(() => changes++);
  store.broken = true;
  const full = (error: unknown) => isFault(error, 'STO0201');
  await assert.rejects(registry.createEntries([entry('new', '/new', agent.id)]), full);
  await assert.rejects(registry.deleteEntries(['web']), full);
  await assert.rejects(registry.banAgent(agent.id), full);
  assert.deepEqual([...registry.authorisedEntries(agent.id).keys()], ['web']);
  assert.equal(registry.agent(agent.id)?.banned, false);
  assert.equal(changes, 0);
});

test('a banned agent, an unknown one, and an entry that has expired get nothing (S9, S12)', async () => {
  const registry = await open(
    fakeStore([entry('a', '/a', agent.id, { expiresAt: 10 }), entry('b', '/b', agent.id)]),
    10_000,
  );
  assert.deepEqual([...registry.authorisedEntries(agent.id).keys()], ['b']);
  assert.equal(registry.authorisedEntries(parseSpiffeId('spiffe://shop.example/spire/agent/x/y')).size, 0);
  await registry.banAgent(agent.id);
  assert.equal(registry.authorisedEntries(agent.id).size, 0);
});

test('what an agent may serve is remembered, and worked out anew before anybody hears of a change', async () => {
  const registry = await open(fakeStore([entry('a', '/a', agent.id)]));
  const identities = agentIdentities(registry, watchAuthorised(registry));
  const [a, b] = ['/a', '/b'].map((path) => parseSpiffeId(`spiffe://shop.example${path}`));
  assert.ok(a && b);
  const changed = new Promise<boolean[]>((resolve) => {
    const { mayServe } = identities.follow(agent.id, () => resolve([mayServe(a), mayServe(b)]));
    assert.deepEqual([mayServe(a), mayServe(b)], [true, false]);
  });
  await registry.createEntries([entry('b', '/b', agent.id)]);
  assert.deepEqual(await changed, [true, true]);
});

test('after any writes the indexes say what a search through all entries says', async () => {
  const path = fc.constantFrom('/a', '/b', '/c', '/d');
  const write = fc.record(
    {
      id: fc.constantFrom('e1', 'e2', 'e3', 'e4', 'e5'),
      path,
      parent: fc.oneof(path, fc.constantFrom('/spire/server', agent.id)),
      remove: fc.boolean(),
    },
    { noNullPrototype: true },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(write, { maxLength: 20 }), async (writes) => {
      const registry = await open(fakeStore([]));
      for (const { id, path: own, parent, remove } of writes) {
        if (remove) await registry.deleteEntries([id]);
        else await registry.createEntries([entry(id, own, parent)]);
      }
      const all = [...registry.entries()];
      const naive = { childrenOf: (parent: SpiffeId) => all.filter((one) => one.parentId === parent) };
      assert.deepEqual(
        [...registry.authorisedEntries(agent.id).keys()].sort(),
        [...authorisedEntries(agent, registry.serverId, naive).keys()].sort(),
      );
      for (const one of all) assert.ok([...registry.entriesFor(one.spiffeId)].includes(one));
    }),
  );
});
