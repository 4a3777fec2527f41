import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { standingClock } from '../../test/support/agent.js';
import { temporaryFolder } from '../../test/support/children.js';
import { transcript } from '../../test/support/transcript.js';
import { adminApi } from '../agent/admin-api.js';
import type { AgentStatus } from '../agent/agent.js';
import { parseSpiffeId } from '../spiffe/id.js';
import { serveUnix } from '../transport/unix-server.js';

const at = Date.UTC(2026, 0, 2, 3, 4, 5);
const serving: AgentStatus = {
  id: parseSpiffeId('spiffe://shop.example/spire/agent/join_token/one'),
  svidNotAfter: at + 3_600_000,
  lastSync: at,
  entries: 3,
  svids: 2,
  trouble: undefined,
  servers: [],
  serving: true,
};
const starting: AgentStatus = {
  ...{ id: undefined, svidNotAfter: undefined, lastSync: undefined },
  ...{ entries: 0, svids: 0, trouble: 'TRN0301', servers: [], serving: false },
};

/** What the command says of an agent in that state; the socket's path is written SOCKET. */
async function healthOf(t: TestContext, status: AgentStatus): Promise<string> {
  const path = join(temporaryFolder(t), 'a.sock');
  const services = adminApi({ status: () => status }, standingClock(at));
  const server = await serveUnix({ path, mode: 0o600, services });
  t.after(() => server.close());
  return (await transcript(t, {}, [`agent health --admin-socket ${path}`])).replaceAll(path, 'SOCKET');
}

test('an agent that serves is healthy', async (t) => {
  assert.equal(
    await healthOf(t, serving),
    `$ plastron agent health --admin-socket SOCKET
✓ serving
  agent spiffe://shop.example/spire/agent/join_token/one, its SVID is valid until 2026-01-02T04:04:05.000Z
  last sync with the server 2026-01-02T03:04:05.000Z, 2 SVIDs
exit 0
`,
  );
});

test('an agent that has nothing to hand out yet is not', async (t) => {
  assert.equal(
    await healthOf(t, starting),
    `$ plastron agent health --admin-socket SOCKET
✗ not serving
  not attested yet
  no sync with the server since the start
err| the agent's log says why and what to do
exit 1
`,
  );
});

test('nobody on the socket is something else', async (t) => {
  const shown = await transcript(t, {}, ['agent health --admin-socket none.sock']);
  assert.match(shown, /error\[TRN0301\]/);
  assert.match(shown, /exit 4/);
});
