import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  agentApi,
  attest,
  attestedAgent,
  dial,
  endOf,
  joinToken,
  newKey,
  runningServer,
  syncOnce,
} from '../../test/support/running-server.js';
import { makeCsr } from '../ca/csr.js';

test('S11: agents behind one address all get in at once, whatever the limit', async (t) => {
  const server = await runningServer(t, { attestationsPerSecond: 1 });
  const tokens = await Promise.all(Array.from({ length: 30 }, () => joinToken(server)));
  const attempts = tokens.map((token) => attest(dial(t, server), token));
  const ids = (await Promise.all(attempts)).map(({ id }) => id);
  assert.equal(new Set(ids).size, 30);
});

test('S11: who fails again and again waits, and is refused when too many wait; agents are served meanwhile', async (t) => {
  const server = await runningServer(t, { attestationsPerSecond: 1 });
  const agent = await attestedAgent(t, server);
  const connections = Array.from({ length: 30 }, () => dial(t, server));
  const ends: string[] = [];
  const refused = new Promise<void>((resolve) => {
    for (let i = 0; i < 4 * connections.length; i++) {
      const connection = connections[i % connections.length] ?? assert.fail();
      const attempt = endOf(attest(connection, 'x'.repeat(30)));
      void attempt.then(({ status, text }) => {
        ends.push(`${status} ${text.slice(0, 7)}`);
        if (status === 'RESOURCE_EXHAUSTED') resolve();
      });
    }
  });
  await refused;
  assert.equal((await endOf(syncOnce(agent.connection))).status, 'OK');
  assert.ok(ends.includes('RESOURCE_EXHAUSTED ATT0501'), ends.join());
  for (const end of ends) assert.match(end, /ATT0201|ATT0501/);
});

test('S6: a CSR that its own key did not sign gives no SVID to an agent either, new or renewed', async (t) => {
  const server = await runningServer(t);
  const bad = makeCsr(newKey());
  bad[bad.length - 1] = (bad[bad.length - 1] ?? 0) ^ 1;
  const stream = dial(t, server).stream(agentApi.AttestAgent);
  const payload = Buffer.from(await joinToken(server));
  stream.send({ params: { data: { type: 'join_token', payload }, params: { csr: bad } } });
  assert.match((await endOf(stream.responses[Symbol.asyncIterator]().next())).text, /^CAS0204/);
  const { connection } = await attestedAgent(t, server);
  const renewal = connection.unary(agentApi.RenewAgent, { params: { csr: bad } });
  assert.match((await endOf(renewal)).text, /^CAS0204/);
});
