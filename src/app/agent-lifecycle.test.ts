import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  agentApi,
  attestedAgent,
  dial,
  endOf,
  entryApi,
  newKey,
  type RunningTestServer,
  runningServer,
  svidOf,
  syncOnce,
} from '../../test/support/running-server.js';
import { makeCsr } from '../ca/csr.js';
import { pathOf, type SpiffeId } from '../spiffe/id.js';
import type { GrpcConnection } from '../transport/grpc-client.js';
import { serviceDefinition } from '../wire/services.js';

const ads = serviceDefinition('envoy.service.discovery.v3.AggregatedDiscoveryService');
const messageId = (id: SpiffeId) => ({ trust_domain: 'shop.example', path: pathOf(id) });

/** Streams of an agent on which everything was said; how each ends. */
async function idleStreams(connection: GrpcConnection) {
  const sync = connection.stream(entryApi.SyncAuthorizedEntries);
  sync.send({ output_mask: { revision_number: true } });
  const pushed = connection.stream(ads.DeltaAggregatedResources);
  pushed.send({ type_url: 'type.googleapis.com/spire.api.types.Entry' });
  const ends: Promise<{ status: string; text: string; reason?: string }>[] = [];
  for (const stream of [sync, pushed]) {
    const responses: AsyncIterator<unknown> = stream.responses[Symbol.asyncIterator]();
    await responses.next();
    const rest = async () => {
      while (!(await responses.next()).done);
    };
    ends.push(endOf(rest()));
  }
  return () => Promise.all(ends);
}

type Agent = Awaited<ReturnType<typeof attestedAgent>>;
type Ending = {
  name: string;
  reason: string;
  end(t: TestContext, server: RunningTestServer, agent: Agent): Promise<unknown>;
};

const endings: Ending[] = [
  {
    name: 'is banned',
    reason: 'AGENT_BANNED',
    end: (_, { admin }, { svid }) => admin.unary(agentApi.BanAgent, { id: messageId(svid.id) }),
  },
  {
    name: 'is deleted',
    reason: 'AGENT_NOT_ATTESTED',
    end: (_, { admin }, { svid }) => admin.unary(agentApi.DeleteAgent, { id: messageId(svid.id) }),
  },
  {
    name: 'shows its renewed SVID',
    reason: 'AGENT_NOT_ACTIVE',
    end: async (t, server, { connection }) => {
      const key = newKey();
      const renewed = await connection.unary(agentApi.RenewAgent, { params: { csr: makeCsr(key) } });
      await syncOnce(dial(t, server, svidOf(renewed.svid, key)));
    },
  },
];

for (const { name, reason, end } of endings) {
  test(`S12: when an agent ${name}, its idle streams end and its open connection is no use any more`, async (t) => {
    const server = await runningServer(t);
    const agent = await attestedAgent(t, server);
    const ended = await idleStreams(agent.connection);
    await end(t, server, agent);
    const [sync, pushed] = await ended();
    assert.deepEqual([sync?.status, sync?.reason], ['PERMISSION_DENIED', reason]);
    assert.match(pushed?.text ?? '', /^XDS0104/);
    assert.equal((await endOf(syncOnce(agent.connection))).reason, reason);
  });
}

test('S12: when the SVID of an agent expires, its idle streams end', async (t) => {
  const server = await runningServer(t, { x509SvidTtl: 2 });
  const { connection } = await attestedAgent(t, server);
  const [sync, pushed] = await (await idleStreams(connection))();
  assert.equal(sync?.reason, 'AGENT_EXPIRED');
  assert.match(pushed?.text ?? '', /^XDS0104/);
});
