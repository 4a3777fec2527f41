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
  lastSync: at - 2_000,
  entries: 3,
  svids: 2,
  autonomousUntil: at + 1_800_000,
  svidsPastRotation: 0,
  pushed: true,
  trouble: undefined,
  servers: [{ address: 'one.example:8081', trouble: undefined }],
  serving: true,
};
const starting: AgentStatus = {
  ...{ id: undefined, svidNotAfter: undefined, lastSync: undefined, autonomousUntil: undefined },
  ...{ entries: 0, svids: 0, svidsPastRotation: 0, pushed: false },
  ...{ trouble: 'TRN0301', serving: false },
  servers: [
    { address: 'one.example:8081', trouble: 'it is away' },
    { address: 'two.example:8081', trouble: undefined },
  ],
};

/** What the command says of an agent in that state; the socket's path is written SOCKET. */
async function healthOf(t: TestContext, status: AgentStatus, flags = ''): Promise<string> {
  const path = join(temporaryFolder(t), 'a.sock');
  const services = adminApi({ status: () => status }, standingClock(at));
  const server = await serveUnix({ path, mode: 0o600, services });
  t.after(() => server.close());
  return (await transcript(t, {}, [`agent health --admin-socket ${path}${flags}`])).replaceAll(
    path,
    'SOCKET',
  );
}

test('an agent that serves is healthy, and says for how long it needs no server', async (t) => {
  assert.equal(
    await healthOf(t, serving),
    `$ plastron agent health --admin-socket SOCKET
✓ serving
  agent          spiffe://shop.example/spire/agent/join_token/one
  own SVID ends  2026-01-02T04:04:05Z (in 1h)
  SVIDs          2
  autonomy       30m without a server
  last sync      2s ago
  server pushes  yes
  server         one.example:8081
exit 0
`,
  );
});

test('an agent that has nothing to hand out yet is not, and every server is named with what is wrong', async (t) => {
  assert.equal(
    await healthOf(t, starting),
    `$ plastron agent health --admin-socket SOCKET
✗ not serving
  problem        no sync with the server since the start
  agent          not attested yet
  SVIDs          0
  last sync      none since the start
  server pushes  no
  last error     TRN0301
  server         one.example:8081: it is away
  server         two.example:8081
err| the agent's log says why and what to do
exit 1
`,
  );
});

const limits: readonly { what: string; status: Partial<AgentStatus>; flags?: string; says?: RegExp }[] = [
  { what: 'an SVID late for its renewal', status: { svidsPastRotation: 1 }, says: /1 SVID is late/ },
  {
    what: 'as many late SVIDs as allowed',
    status: { svidsPastRotation: 2 },
    flags: ' --max-past-rotation 2',
  },
  { what: 'a sync five minutes ago', status: { lastSync: at - 300_000 } },
  { what: 'an older one', status: { lastSync: at - 301_000 }, says: /last sync was 5m1s ago/ },
  { what: 'the same with a wider limit', status: { lastSync: at - 301_000 }, flags: ' --max-sync-age 600' },
  {
    what: 'what was kept, before a sync',
    status: { lastSync: undefined },
    says: /no sync .* since the start/,
  },
  { what: 'enough autonomy', status: {}, flags: ' --min-autonomy 1800' },
  {
    what: 'too little of it',
    status: {},
    flags: ' --min-autonomy 1801',
    says: /expires in 30m, sooner than 30m1s/,
  },
  {
    what: 'an SVID that has expired',
    status: { autonomousUntil: at - 1 },
    says: /an SVID in use has expired/,
  },
];

for (const { what, status, flags, says } of limits) {
  test(`health before an outage: ${what} ${says ? 'ends with 3' : 'is healthy'}`, async (t) => {
    const shown = await healthOf(t, { ...serving, ...status }, flags);
    assert.match(shown, says ?? /✓ serving/);
    assert.match(shown, says ? /exit 3/ : /exit 0/);
  });
}

test('for programs there is one document', async (t) => {
  const shown = await healthOf(t, { ...serving, svidsPastRotation: 1 }, ' -o json');
  const document: unknown = JSON.parse(shown.replace(/^.*?\n/, '').replace(/exit \d\n$/, ''));
  assert.deepEqual(document, {
    apiVersion: 'plastron/v1',
    kind: 'AgentHealth',
    serving: true,
    id: 'spiffe://shop.example/spire/agent/join_token/one',
    svidExpiresAt: '2026-01-02T04:04:05Z',
    autonomySeconds: 1800,
    syncAgeSeconds: 2,
    svids: 2,
    svidsPastRotation: 1,
    pushed: true,
    lastError: null,
    servers: [{ address: 'one.example:8081', lastError: null }],
    problems: ['1 SVID is late for renewal'],
  });
});

test('nobody on the socket is something else', async (t) => {
  const shown = await transcript(t, {}, ['agent health --admin-socket none.sock']);
  assert.match(shown, /error\[TRN0301\]/);
  assert.match(shown, /exit 4/);
});
