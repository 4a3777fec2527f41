import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Purpose, purposeOf } from '../../test/support/access-contract.js';
import { testCa } from '../../test/support/ca.js';
import { Fault } from '../base/faults/fault.js';
import type { Entry } from '../registration/entry.js';
import { readCertificate } from '../spiffe/certificate.js';
import { parseSpiffeId } from '../spiffe/id.js';
import type { X509Svid } from '../spiffe/x509-svid.js';
import type { Peer } from '../transport/peer.js';
import { serviceDefinition } from '../wire/services.js';
import { access } from './access.js';
import { createAuthoriser } from './authorise.js';
import type { AgentRecord } from './ports.js';
import type { Registry } from './registry.js';

const ca = testCa('shop.example');
const now = Date.now();
const agentPath = (name: string) => `spiffe://shop.example/spire/agent/join_token/${name}`;
const serialOf = (svid: X509Svid) => readCertificate(svid.chain[0] ?? new Uint8Array()).serial;

const agent = ca.svid(agentPath('good')).svid;
const renewed = ca.svid(agentPath('good')).svid;
const outdated = ca.svid(agentPath('good')).svid;
const banned = ca.svid(agentPath('banned')).svid;
const unknown = ca.svid(agentPath('unknown')).svid;
const expired = ca.svid(agentPath('good'), { notBefore: now - 7_200_000, notAfter: now - 3_600_000 }).svid;
const workload = ca.svid('spiffe://shop.example/web').svid;
const admin = ca.svid('spiffe://shop.example/operator').svid;
const downstream = ca.svid('spiffe://shop.example/nested').svid;
const impostor = testCa('shop.example').svid(agentPath('good')).svid;
const foreignAdmin = testCa('other.example').svid('spiffe://other.example/operator').svid;

const record = (svid: X509Svid, more: Partial<AgentRecord> = {}): AgentRecord => ({
  id: svid.id,
  attestationType: 'join_token',
  selectors: [],
  canReattest: false,
  banned: false,
  serial: serialOf(svid),
  expiresAt: svid.notAfter,
  nextSerial: '',
  nextExpiresAt: 0,
  version: '',
  ...more,
});

/** A registry of two agents, one of which has just renewed, and of an admin and a downstream entry. */
function fakeRegistry() {
  const agents = new Map([
    [agent.id, record(agent, { nextSerial: serialOf(renewed) })],
    [banned.id, record(banned, { banned: true })],
  ]);
  const activations: string[] = [];
  const entries: Partial<Entry>[] = [
    { spiffeId: admin.id, admin: true, downstream: false },
    { spiffeId: downstream.id, admin: false, downstream: true },
    { spiffeId: workload.id, admin: false, downstream: false },
  ];
  const registry: Partial<Registry> = {
    serverId: parseSpiffeId('spiffe://shop.example/spire/server'),
    agent: (id) => agents.get(id),
    entriesFor: (id) => entries.filter(({ spiffeId }) => spiffeId === id) as Entry[],
    settleJoinToken: async () => {},
    onChange: () => () => {},
    activateAgent: async (id, serial) => {
      await new Promise(setImmediate);
      if (agents.get(id)?.nextSerial !== serial) return undefined;
      activations.push(serial);
      agents.set(id, record(renewed));
      return agents.get(id);
    },
  };
  return { registry: registry as Registry, activations };
}

function authoriser(registry = fakeRegistry().registry) {
  const bundles = {
    bundle: (trustDomain: string) => (trustDomain === 'shop.example' ? ca.bundle : undefined),
    onChange: () => () => {},
  };
  return createAuthoriser({ registry, bundles, adminIds: new Set(), clock: { now: () => now } });
}

const tls = (svid?: X509Svid): Peer => ({
  kind: 'tls',
  presented: svid?.chain ?? [],
  address: '127.0.0.1:1',
});
const callers = {
  local: { kind: 'unix', pid: 1, uid: 0, gid: 0, isAlive: () => true },
  anonymous: tls(),
  agent: tls(agent),
  outdated: tls(outdated),
  banned: tls(banned),
  unknown: tls(unknown),
  expired: tls(expired),
  workload: tls(workload),
  admin: tls(admin),
  downstream: tls(downstream),
  impostor: tls(impostor),
  foreignAdmin: tls(foreignAdmin),
} as const satisfies Record<string, Peer>;
type CallerName = keyof typeof callers;

/** Who gets in, by what a method is for. */
const allowedCallers: Record<Purpose, readonly CallerName[]> = {
  everybody: [
    'local',
    'anonymous',
    'agent',
    'outdated',
    'banned',
    'unknown',
    'workload',
    'admin',
    'downstream',
  ],
  agents: ['agent'],
  operators: ['local', 'admin'],
  operatorsAndAgents: ['local', 'admin', 'agent'],
  downstream: ['downstream'],
  localOnly: ['local'],
};

test('the table has every method of SPIRE’s server API and of the health protocol, and no other (S33)', () => {
  const others = Object.entries(access).filter(([service]) => !service.startsWith('plastron.'));
  const methods = others.map(([service, table]) => {
    assert.deepEqual(
      Object.keys(table).sort(),
      Object.keys(serviceDefinition(service) as object).sort(),
      service,
    );
    return Object.keys(table).length;
  });
  assert.deepEqual([methods.length, methods.reduce((sum, count) => sum + count)], [8 + 1, 62 + 3]);
});

for (const [service, table] of Object.entries(access)) {
  test(`who may call ${service} (S33)`, async () => {
    for (const [method, roles] of Object.entries(table)) {
      const allowed: string[] = [];
      for (const [name, peer] of Object.entries(callers)) {
        const ok = await authoriser()
          .authorise(peer, method, roles)
          .then(() => true, refusedByFault);
        if (ok) allowed.push(name);
      }
      assert.deepEqual(allowed.sort(), [...allowedCallers[purposeOf(service, method)]].sort(), method);
    }
  });
}

test('agents are told why they are refused', async () => {
  const codeOf = async (name: CallerName) => {
    const refused = await authoriser()
      .authorise(callers[name], 'm', ['agent'])
      .then(
        () => undefined,
        (error: unknown) => error,
      );
    assert.ok(refused instanceof Fault);
    return refused.code;
  };
  assert.equal(await codeOf('expired'), 'SRV0102');
  assert.equal(await codeOf('unknown'), 'SRV0103');
  assert.equal(await codeOf('outdated'), 'SRV0104');
  assert.equal(await codeOf('banned'), 'SRV0105');
  assert.equal(await codeOf('workload'), 'SRV0101');
  assert.equal(await codeOf('anonymous'), 'SRV0101');
  assert.equal(await codeOf('impostor'), 'TRN0203');
  assert.equal(await codeOf('foreignAdmin'), 'TRN0202');
});

test('a renewed SVID takes over when it is shown for the first time, and only then (S12)', async () => {
  const { registry, activations } = fakeRegistry();
  const { authorise } = authoriser(registry);
  await authorise(tls(agent), 'm', ['agent']);
  assert.deepEqual(activations, []);
  await authorise(tls(renewed), 'm', ['agent']);
  await authorise(tls(renewed), 'm', ['agent']);
  assert.deepEqual(activations, [serialOf(renewed)]);
  await assert.rejects(
    authorise(tls(agent), 'm', ['agent']),
    (error) => error instanceof Fault && error.code === 'SRV0104',
  );
});

function refusedByFault(error: unknown): false {
  assert.ok(error instanceof Fault, String(error));
  return false;
}

test('calls that show a renewed SVID for the first time at the same moment are all let in', async () => {
  const { registry, activations } = fakeRegistry();
  const { activeAgent } = authoriser(registry);
  const peer: Peer = { kind: 'tls', presented: renewed.chain, address: '127.0.0.1:1' };
  const found = await Promise.all([activeAgent(peer), activeAgent(peer), activeAgent(peer)]);
  assert.deepEqual(
    found.map(({ agent: { serial } }) => serial),
    Array(3).fill(serialOf(renewed)),
  );
  assert.equal(activations.length, 1);
});
