import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { authorisedEntries } from '../registration/authorised.js';
import { checkEntry } from '../registration/check-entry.js';
import type { Entry } from '../registration/entry.js';
import { parseSpiffeId, parseTrustDomain, type SpiffeId } from '../spiffe/id.js';
import { silentLog } from '../telemetry/log.js';
import type { VerifiedPeer } from '../transport/verified-peer.js';
import { decode } from '../wire/messages.js';
import type { MessageOut } from '../wire/names.js';
import { openStream } from '../xds/stream.js';
import { agentIdentities } from './agent-identities.js';
import { watchAuthorised } from './authorised-watch.js';
import { entrySource, entryTypeUrl } from './entry-source.js';
import type { AgentRecord, ServerStore } from './ports.js';
import { openRegistry, type Registry } from './registry.js';

const trustDomain = parseTrustDomain('shop.example');
const serverPath = '/spire/server';
const agentIds = ['a', 'b', 'c'].map((name) =>
  parseSpiffeId(`spiffe://shop.example/spire/agent/x509pop/${name}`),
);

function agentRecord(id: SpiffeId, node: string): AgentRecord {
  return {
    ...{ id, attestationType: 'x509pop', selectors: [{ type: 'node', value: node }], canReattest: true },
    ...{ banned: false, serial: '1', expiresAt: 0, nextSerial: '', nextExpiresAt: 0, version: '' },
  };
}

interface Written {
  readonly id: string;
  readonly path: string;
  readonly parent: string;
  readonly node: string;
  /** Seconds; 0 for never. */
  readonly expiresAt: number;
  readonly revision: number;
}

function entryOf({ id, path, parent, node, expiresAt, revision }: Written): Entry {
  const parentId = parent.startsWith('/') ? `spiffe://shop.example${parent}` : parent;
  const selectors = [{ type: 'node', value: node }];
  const content = checkEntry({ spiffeId: `spiffe://shop.example${path}`, parentId, selectors }, trustDomain);
  return { ...content, id, expiresAt, createdAt: 0, revision };
}

/** A registry over a store that takes every write. */
async function openWith(agents: readonly AgentRecord[], clock: { now: () => number }): Promise<Registry> {
  const banned = new Set<SpiffeId>();
  const written = async (entries: readonly Entry[]) =>
    entries.map((entry) => ({ kind: 'written', entry }) as const);
  const store = {
    entryPages: async function* () {},
    agents: async () => [...agents],
    unsettledSerials: async () => [],
    restoredAt: async () => undefined,
    createEntries: written,
    deleteEntries: async (ids: readonly string[]) => ids.map(() => true),
    banAgent: async (id: SpiffeId) => {
      banned.add(id);
      return { ...agents.find((agent) => agent.id === id), banned: true };
    },
    attest: async ({ agent }: { agent: AgentRecord }) => ({ kind: 'recorded', agent }),
    deleteAgent: async () => ({ deleted: true }),
  };
  // Only what these tests call.
  return openRegistry(store as unknown as ServerStore, trustDomain, clock);
}

type Response = MessageOut<'envoy.service.discovery.v3.DeltaDiscoveryResponse'>;

/** An agent's side of a stream: what it was told, as it stands. */
function follow(registry: Registry, agent: SpiffeId, known: ReadonlyMap<string, string> = new Map()) {
  const held = new Map(known);
  const responses: Response[] = [];
  const waiting = new Set<() => void>();
  let isOver = false;
  const stream = openStream<VerifiedPeer>({
    protocol: 'delta',
    onlyType: undefined,
    sources: new Map([[entryTypeUrl, entrySource(registry, watchOf(registry))]]),
    // The registry is what these tests are about, so nobody shows a certificate.
    identity: { id: agent } as VerifiedPeer,
    isAlive: () => registry.agent(agent)?.banned === false,
    onEvent: () => {},
    send: (frame) => responses.push(decode('envoy.service.discovery.v3.DeltaDiscoveryResponse', frame)),
    fail: () => {
      isOver = true;
    },
    soon: (flush) => waiting.add(flush),
    log: silentLog,
  });
  const names = { kind: 'delta', subscribe: ['*'], unsubscribe: [], initialVersions: known } as const;
  stream.receive({
    node: undefined,
    typeUrl: entryTypeUrl,
    nonce: '',
    refusal: undefined,
    subscription: names,
  });
  const answer = ({ resources = [], removed_resources = [], nonce = '' }: Response) => {
    for (const name of removed_resources) assert.ok(held.delete(name), 'removed what it never had');
    for (const { name = '', version = '' } of resources) held.set(name, version);
    const subscription = {
      kind: 'delta',
      subscribe: [],
      unsubscribe: [],
      initialVersions: new Map(),
    } as const;
    if (!isOver)
      stream.receive({ node: undefined, typeUrl: entryTypeUrl, nonce, refusal: undefined, subscription });
  };
  /** Lets everything happen that is going to. */
  const settle = () => {
    while (!isOver && (waiting.size > 0 || responses.length > 0)) {
      const flushes = [...waiting];
      waiting.clear();
      for (const flush of flushes) flush();
      for (const response of responses.splice(0)) answer(response);
    }
  };
  return { held, responses, settle, isOver: () => isOver, close: () => stream.close() };
}

const watches = new WeakMap<Registry, ReturnType<typeof watchAuthorised>>();

function watchOf(registry: Registry) {
  const watch = watches.get(registry) ?? watchAuthorised(registry);
  watches.set(registry, watch);
  return watch;
}

const turn = () => new Promise(setImmediate);

const path = fc.constantFrom('/a', '/b', '/c', '/d');
const write = fc.record(
  {
    id: fc.constantFrom('e1', 'e2', 'e3', 'e4', 'e5', 'e6', 'e7'),
    path,
    parent: fc.oneof(path, fc.constantFrom(serverPath, ...agentIds)),
    node: fc.constantFrom('1', '2'),
    expiresAt: fc.constantFrom(0, 0, 0, 3, 6, 9),
    what: fc.constantFrom(...['put', 'put', 'put', 'put', 'delete', 'time passes', 'turn', 'attest', 'ban']),
    agent: fc.constantFrom(...agentIds),
  },
  { noNullPrototype: true },
);

type Write = typeof write extends fc.Arbitrary<infer One> ? One : never;

/** A registry that is written to, beside what it should amount to. */
async function openWorld() {
  let seconds = 0;
  const agents = agentIds.map((id, index) => agentRecord(id, String(1 + (index % 2))));
  const registry = await openWith(agents, { now: () => seconds * 1000 });
  const entries = new Map<string, Entry>();
  const nodes = new Map(agents.map((agent) => [agent.id, agent]));
  const writes: Record<string, (one: Write, revision: number) => Promise<unknown> | undefined> = {
    put: (one, revision) => {
      const entry = entryOf({ ...one, revision });
      entries.set(one.id, entry);
      return registry.createEntries([entry]);
    },
    delete: ({ id }) => {
      entries.delete(id);
      return registry.deleteEntries([id]);
    },
    attest: ({ agent: id, node }) => {
      if (!nodes.has(id)) return undefined;
      const agent = agentRecord(id, node);
      nodes.set(id, agent);
      return registry.attest({ agent });
    },
    ban: ({ agent }) => {
      nodes.delete(agent);
      return registry.banAgent(agent);
    },
    'time passes': () => {
      seconds++;
      registry.expire();
      return undefined;
    },
    turn,
  };
  /** By the rule itself, from all entries; `undefined` for an agent that is banned. */
  const expected = (id: SpiffeId) => {
    const live = [...entries.values()].filter(({ expiresAt }) => expiresAt === 0 || expiresAt > seconds);
    const tree = { childrenOf: (parent: SpiffeId) => live.filter(({ parentId }) => parentId === parent) };
    const node = nodes.get(id);
    return node && authorisedEntries(node, registry.serverId, tree);
  };
  return {
    registry,
    entries,
    expected,
    write: (one: Write, index: number) => writes[one.what]?.(one, index),
  };
}

test('after any writes every agent has been told exactly what it is authorised for, however they fall into turns', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(write, { maxLength: 30 }), async (writes) => {
      const world = await openWorld();
      const followed = agentIds.map((id) => ({ id, ...follow(world.registry, id) }));
      for (const [index, one] of writes.entries()) {
        await world.write(one, index);
        if (one.what === 'turn') for (const { settle } of followed) settle();
      }
      await turn();
      for (const { id, settle, held, isOver, close } of followed) {
        settle();
        const expected = world.expected(id);
        assert.equal(isOver(), expected === undefined, 'the stream of an agent that is banned is over');
        if (expected) assert.deepEqual([...held.keys()].sort(), [...expected.keys()].sort());
        if (expected) assertNothingIsSentAgain(world.registry, id, held);
        close();
      }
    }),
    { numRuns: 300 },
  );
});

/** The versions are those of the last contents: whoever comes back with them hears only that it has everything. */
function assertNothingIsSentAgain(registry: Registry, agent: SpiffeId, held: ReadonlyMap<string, string>) {
  const { responses, close } = follow(registry, agent, held);
  assert.deepEqual(
    responses.map(({ resources = [], removed_resources = [] }) => [...resources, ...removed_resources]),
    [[]],
  );
  close();
}

test('after any writes the registry and the policies follow the rule for who is authorised, entry by entry', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(write, { maxLength: 30 }), async (writes) => {
      const { registry, entries, expected, write: apply } = await openWorld();
      const identities = agentIdentities(registry, watchOf(registry));
      const followed = agentIds.map((id) => ({ id, ...identities.follow(id, () => {}) }));
      for (const [index, one] of writes.entries()) await apply(one, index);
      await turn();
      for (const { id, mayServe } of followed) {
        const authorised = expected(id) ?? new Map<string, Entry>();
        assert.deepEqual([...registry.authorisedEntries(id).keys()].sort(), [...authorised.keys()].sort());
        const ids = new Set([...authorised.values()].map(({ spiffeId }) => spiffeId));
        for (const entry of entries.values()) {
          assert.deepEqual(registry.authorisedEntry(id, entry.id), authorised.get(entry.id));
          assert.equal(mayServe(entry.spiffeId), ids.has(entry.spiffeId));
        }
      }
    }),
    { numRuns: 300 },
  );
});

const parent = agentIds[0] ?? assert.fail();
const plain = (id: string, revision = 0): Entry =>
  entryOf({ id, path: `/${id}`, parent, node: '1', expiresAt: 0, revision });

test('an agent with many entries is told in parts, hears which is the last, and nothing twice', async () => {
  const registry = await openWith([agentRecord(parent, '1')], { now: () => 0 });
  await registry.createEntries(Array.from({ length: 2500 }, (_, index) => plain(`e${index}`)));
  const agent = follow(registry, parent);
  const nonces: string[] = [];
  let told = 0;
  while (agent.responses.length > 0) {
    for (const { nonce = '', resources = [] } of agent.responses) {
      nonces.push(nonce);
      told += resources.length;
    }
    agent.settle();
  }
  assert.equal(agent.held.size, 2500);
  assert.match(nonces[0] ?? '', /\.more$/);
  assert.ok(told <= 2500);
});

test('one change among many entries is looked at alone, and only for the agents that it concerns (S5)', async () => {
  const registry = await openWith(
    agentIds.map((id) => agentRecord(id, '1')),
    { now: () => 0 },
  );
  await registry.createEntries(Array.from({ length: 50 }, (_, index) => plain(`e${index}`)));
  const calls: [SpiffeId, number | 'any'][] = [];
  for (const id of agentIds) {
    watchOf(registry).watch(id, (touched) => calls.push([id, touched === 'any' ? touched : touched.length]));
  }
  await registry.createEntries([plain('e7', 1), plain('new')]);
  await turn();
  assert.deepEqual(calls, [[parent, 2]]);
});
