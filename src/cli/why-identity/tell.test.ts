import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  agentApi,
  attestedAgent,
  createEntries,
  entryMessage,
  type RunningTestServer,
  runningServer,
} from '../../../test/support/running-server.js';
import { transcript } from '../../../test/support/transcript.js';
import { pathOf } from '../../spiffe/id.js';

/** What the command says, with what differs from run to run taken out. */
async function why(
  t: Parameters<typeof transcript>[0],
  server: RunningTestServer,
  words: string,
): Promise<string> {
  const shown = await transcript(t, {}, [`why ${words}`], { PLASTRON_ADMIN_SOCKET: server.adminSocket });
  return shown
    .slice(shown.indexOf('\n') + 1)
    .replace(/join_token\/[0-9a-f]+/g, 'join_token/TOKEN')
    .replace(/lasts \S+ more/g, 'lasts LONG more')
    .replace(/ends in \S+/g, 'ends in LONG');
}

test('an identity that is issued: by which entry, under which parent, on which node', async (t) => {
  const server = await runningServer(t);
  const agent_id = { trust_domain: 'shop.example', path: '/node/demo' };
  await attestedAgent(t, server, { ttl: 60, agent_id });
  await createEntries(server, entryMessage('/web', '/node/demo', ['unix:uid:1'], { id: 'web' }));
  assert.equal(
    await why(t, server, 'spiffe://shop.example/web --selector unix:uid:1'),
    `✓ ISSUED  spiffe://shop.example/web
  entry      ✓ web
  parent     ✓ spiffe://shop.example/node/demo
  node       ✓ spiffe://shop.example/spire/agent/join_token/TOKEN (agent of unknown version, its SVID lasts LONG more)
  selectors  ✓ unix:uid:1
  server     ✓ serving; its authority ends in LONG
exit 0
`,
  );
});

test('everything that is in the way is said at once, each with its way out', async (t) => {
  const server = await runningServer(t);
  const { svid } = await attestedAgent(t, server);
  await createEntries(
    server,
    entryMessage('/web', pathOf(svid.id), ['unix:uid:1', 'unix:gid:1'], { id: 'web', expires_at: 1 }),
    entryMessage('/web', '/node/other', ['unix:uid:2'], { id: 'elsewhere' }),
  );
  await server.admin.unary(agentApi.BanAgent, {
    id: { trust_domain: 'shop.example', path: pathOf(svid.id) },
  });
  const shown = await why(t, server, `spiffe://shop.example/web --node ${svid.id} --selector unix:uid:1`);
  assert.match(shown, /^✗ NOT ISSUED {2}spiffe:\/\/shop.example\/web {2}on spiffe:.*TOKEN\n/);
  assert.match(shown, /entry {6}✗ web: it ended \d+d\S* ago\n/);
  assert.match(shown, /parent {5}✓ spiffe:\/\/shop.example\/spire\/agent\/join_token\/TOKEN\n/);
  assert.match(shown, /node {7}✗ spiffe:\S+TOKEN is banned\n/);
  assert.match(shown, /selectors {2}✗ the workload lacks unix:gid:1 \(it has unix:uid:1\)\n/);
  assert.match(shown, /also: entry elsewhere: no node has the alias spiffe:\/\/shop.example\/node\/other/);
  assert.match(shown, /to get it: plastron entry update web --no-expires-at\n/);
  assert.match(shown, /to get it: if that was a mistake: plastron node evict spiffe:/);
  assert.match(shown, /exit 1\n$/);
});

test('without an entry, a node or a parent that any node has, the answer says which is missing', async (t) => {
  const server = await runningServer(t);
  await createEntries(server, entryMessage('/web', '/node/demo', ['unix:uid:1']));
  assert.match(
    await why(t, server, 'spiffe://shop.example/wep'),
    /no entry gives this identity\n {2}to get it: did you mean spiffe:\/\/shop.example\/web\?/,
  );
  assert.match(await why(t, server, 'spiffe://shop.example/web'), /node {7}✗ no node has attested\n/);
  const unknown = 'spiffe://shop.example/spire/agent/x509pop/1';
  assert.match(
    await why(t, server, `spiffe://shop.example/web --node ${unknown}`),
    /node {7}✗ spiffe:\S+x509pop\/1 has not attested\n/,
  );
  await attestedAgent(t, server);
  assert.match(
    await why(t, server, 'spiffe://shop.example/web'),
    /parent {5}✗ no node has the alias spiffe:\/\/shop.example\/node\/demo, under which it stands\n/,
  );
});

test('programs get the verdict, the problems and the ways out; a question that cannot be meant is a usage error', async (t) => {
  const server = await runningServer(t);
  const json = await why(t, server, 'spiffe://shop.example/web -o json');
  const answer = JSON.parse(json.slice(0, json.indexOf('exit 1'))) as Record<string, unknown>;
  assert.deepEqual([answer.kind, answer.issued], ['IdentityAnswer', false]);
  assert.match(await why(t, server, 'spiffe://other.example/web'), /error\[CLI0701\].*\n.*\n.*\nexit 2\n$/);
  assert.match(await why(t, server, 'web'), /error\[IDN0101\].*\n.*\n.*\nexit 2\n$/);
  assert.match(await why(t, server, 'web orders'), /for an identity give its ID alone\n.*\nexit 2\n$/);
});
