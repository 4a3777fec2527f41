import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { isOfLaterIssue, type Purpose, purposeOf } from '../../test/support/access-contract.js';
import { testCa } from '../../test/support/ca.js';
import {
  agentApi,
  attestedAgent,
  bundleApi,
  createEntries,
  dial,
  endOf,
  entryMessage,
  newKey,
  type RunningTestServer,
  runningServer,
  svidApi,
  svidOf,
} from '../../test/support/running-server.js';
import { loadAuthorities } from '../ca/authority-file.js';
import { activeAuthority, noAuthorities } from '../ca/authority-set.js';
import { makeCsr } from '../ca/csr.js';
import { issueX509Svid } from '../ca/issue-x509-svid.js';
import { diskKeys } from '../ca/key-manager.js';
import { access } from '../server/access.js';
import { parseSpiffeId, parseTrustDomain, pathOf } from '../spiffe/id.js';
import type { X509Svid } from '../spiffe/x509-svid.js';
import type { GrpcConnection } from '../transport/grpc-client.js';
import { serviceDefinition } from '../wire/services.js';

const other = testCa('other.example');
const adminOfOther = other.svid('spiffe://other.example/operator').svid;

/** Everybody who might call, each on a connection of its own, over real TLS or the admin socket. */
async function callersOf(t: TestContext, server: RunningTestServer) {
  const banned = await attestedAgent(t, server);
  const deleted = await attestedAgent(t, server);
  const parent = await attestedAgent(t, server);
  const [workload, admin, downstream] = await workloads(server, parent);
  const idOf = (svid: X509Svid) => ({ trust_domain: 'shop.example', path: pathOf(svid.id) });
  await server.admin.unary(agentApi.BanAgent, { id: idOf(banned.svid) });
  await server.admin.unary(agentApi.DeleteAgent, { id: idOf(deleted.svid) });
  const asn1 = Buffer.from(other.certificate.der);
  await server.admin.unary(bundleApi.BatchSetFederatedBundle, {
    bundle: [{ trust_domain: 'other.example', x509_authorities: [{ asn1 }] }],
  });
  return {
    local: server.admin,
    anonymous: dial(t, server),
    agent: parent.connection,
    'banned agent': banned.connection,
    'deleted agent': deleted.connection,
    'expired agent': dial(t, server, await expiredAgent(server)),
    workload: dial(t, server, workload),
    admin: dial(t, server, admin),
    downstream: dial(t, server, downstream),
    'listed admin of another trust domain': dial(t, server, adminOfOther),
    'other of that trust domain': dial(t, server, other.svid('spiffe://other.example/web').svid),
    'admin of an unknown trust domain': dial(
      t,
      server,
      testCa('third.example').svid('spiffe://third.example/operator').svid,
    ),
    impostor: dial(t, server, testCa('shop.example').svid('spiffe://shop.example/operator').svid),
  };
}
type CallerName = keyof Awaited<ReturnType<typeof callersOf>>;

/** An SVID of an agent that the server's own authority signed and that has ended since. */
async function expiredAgent({ dataDir }: RunningTestServer): Promise<X509Svid> {
  const path = join(dataDir, 'authorities.pem');
  const now = Date.now();
  const set = await loadAuthorities(path, parseTrustDomain('shop.example'), diskKeys);
  const key = newKey();
  const id = parseSpiffeId('spiffe://shop.example/spire/agent/join_token/old');
  const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' });
  const request = { id, publicKey, dnsNames: [], ttlSeconds: 1, now };
  const { chain, notBefore, notAfter } = await issueX509Svid(
    activeAuthority(set ?? noAuthorities, now),
    request,
  );
  while (Date.now() <= notAfter) await setTimeout(20);
  return { id, chain, notBefore, notAfter, privateKey: key.export({ format: 'der', type: 'pkcs8' }) };
}

/** SVIDs of a plain workload, of an operator and of a server below this one. */
async function workloads(
  server: RunningTestServer,
  agent: { svid: X509Svid; connection: GrpcConnection },
): Promise<X509Svid[]> {
  const under = pathOf(agent.svid.id);
  const ids = await createEntries(
    server,
    entryMessage('/web', under, ['unix:uid:1']),
    entryMessage('/operator', under, ['unix:uid:2'], { admin: true }),
    entryMessage('/nested', under, ['unix:uid:3'], { downstream: true }),
  );
  const key = newKey();
  const params = ids.map((entry_id) => ({ entry_id, csr: makeCsr(key) }));
  const { results = [] } = await agent.connection.unary(svidApi.BatchNewX509SVID, { params });
  return results.map(({ svid }) => svidOf(svid, key));
}

const everybody: readonly CallerName[] = [
  'local',
  'anonymous',
  'agent',
  'banned agent',
  'deleted agent',
  'workload',
  'admin',
  'downstream',
  'listed admin of another trust domain',
];
const operators: readonly CallerName[] = ['local', 'admin', 'listed admin of another trust domain'];
const allowedCallers: Record<Purpose, readonly CallerName[]> = {
  everybody,
  agents: ['agent'],
  operators,
  operatorsAndAgents: [...operators, 'agent'],
  downstream: ['downstream'],
  localOnly: ['local'],
};

/** Calls a method with nothing in the request and gives the status that it ends with, or OK for the first answer. */
async function statusOf(connection: GrpcConnection, service: string, method: string) {
  const definition = (serviceDefinition(service) as Record<string, typeof agentApi.AttestAgent>)[method];
  assert.ok(definition);
  if (!definition.requestStream && !definition.responseStream) return endOf(connection.unary(definition, {}));
  const stream = connection.stream(definition);
  stream.send({});
  stream.end();
  const firstAnswer = async () => {
    for await (const _ of stream.responses) return;
  };
  return endOf(firstAnswer());
}

test('who may call what, for every method and every kind of caller, over real connections (S33, S15, S17)', async (t) => {
  const server = await runningServer(t, { adminIds: [adminOfOther.id] });
  const callers = Object.entries(await callersOf(t, server)) as [CallerName, GrpcConnection][];
  for (const [service, table] of Object.entries(access)) {
    for (const method of Object.keys(table)) {
      const ends = await Promise.all(
        callers.map(
          async ([name, connection]) => [name, await statusOf(connection, service, method)] as const,
        ),
      );
      const refused = ends.filter(([, { status }]) => /^(PERMISSION_DENIED|UNAUTHENTICATED)$/.test(status));
      const allowed = ends.filter((end) => !refused.includes(end));
      const names = allowed.map(([name]) => name).sort();
      assert.deepEqual(names, [...allowedCallers[purposeOf(service, method)]].sort(), `${service}.${method}`);
      for (const [name, { status, text }] of allowed) {
        const where = `${service}.${method} for ${name}: ${text}`;
        assert.equal(status === 'UNIMPLEMENTED', isOfLaterIssue(service, method), where);
        if (status === 'UNIMPLEMENTED') assert.match(text, /^SRV0107/, where);
        assert.ok(!/^(INTERNAL|UNKNOWN|UNAVAILABLE)$/.test(status), where);
      }
    }
  }
});

test('agents that are refused are told why in the details of the status, as SPIRE’s agents read it', async (t) => {
  const server = await runningServer(t);
  const { agent, ...callers } = await callersOf(t, server);
  const reasonOf = async (connection: GrpcConnection) => {
    const { reason } = await statusOf(connection, 'spire.api.server.entry.v1.Entry', 'GetAuthorizedEntries');
    return reason;
  };
  assert.equal(await reasonOf(callers['banned agent']), 'AGENT_BANNED');
  assert.equal(await reasonOf(callers['deleted agent']), 'AGENT_NOT_ATTESTED');
  assert.equal(await reasonOf(callers['expired agent']), 'AGENT_EXPIRED');
  for (const name of ['anonymous', 'workload', 'admin', 'impostor'] as const) {
    assert.equal(await reasonOf(callers[name]), undefined, name);
  }
  assert.equal(await reasonOf(agent), undefined);
});
