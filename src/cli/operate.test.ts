import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { parse } from 'yaml';
import {
  attestedAgent,
  createEntries,
  endOf,
  entryMessage,
  type RunningTestServer,
  runningServer,
  syncOnce,
} from '../../test/support/running-server.js';
import { transcript } from '../../test/support/transcript.js';
import { bundleFromMessage } from '../agent/server-messages.js';
import { bundleToPem } from '../spiffe/bundle-pem.js';
import { bundleApi } from './bundle/message.js';

// What operators do with a running server: `plastron entry`, `node`, `bundle` and `server health`.

async function run(
  t: TestContext,
  { adminSocket }: RunningTestServer,
  lines: readonly string[],
  files: Readonly<Record<string, string>> = {},
): Promise<string> {
  return transcript(t, files, lines, { PLASTRON_ADMIN_SOCKET: adminSocket });
}

/** What a command with `-o json` prints. */
async function json(
  t: TestContext,
  server: RunningTestServer,
  line: string,
): Promise<Record<string, unknown>> {
  const shown = await run(t, server, [`${line} -o json`]);
  return JSON.parse(shown.slice(shown.indexOf('\n') + 1, shown.lastIndexOf('exit'))) as Record<
    string,
    unknown
  >;
}

test('a server that serves is healthy, with what it has', async (t) => {
  const server = await runningServer(t);
  await createEntries(server, entryMessage('/web', '/node/demo', ['unix:uid:1']));
  const health = await json(t, server, 'server health');
  assert.deepEqual([health.kind, health.serving, health.entries, health.nodes], ['ServerHealth', true, 1, 0]);
  assert.match(
    await run(t, server, ['server health']),
    /^✓ serving\n {2}server +spiffe:\/\/shop.example\/spire\/server\n/m,
  );
});

test('entries are filtered, counted, shown and updated; an update changes what it names and takes away what it is told to', async (t) => {
  const server = await runningServer(t);
  const lines = [
    'entry create --id web --spiffe-id spiffe://shop.example/web --parent-id spiffe://shop.example/node/a --selector unix:uid:1 --default --store-svid',
    'entry create --id orders --spiffe-id spiffe://shop.example/orders --parent-id spiffe://shop.example/node/b --selector unix:uid:1 --selector unix:gid:2 --expires-at 2033-05-18 --dns-name a --dns-name b',
    'entry count',
    'entry count --parent-id spiffe://shop.example/node/a',
    'entry count --selector unix:gid:2',
    'entry count --hint default',
    'entry update web --no-hint --no-store-svid --x509-svid-ttl 60',
    'entry update orders --no-dns-name --no-expires-at --selector unix:uid:9 --admin',
    'entry update orders',
    'entry update nothing --admin',
    'entry create --spiffe-id spiffe://shop.example/x --parent-id spiffe://shop.example/node/a --selector unix:uid:1 --default --hint other',
  ];
  const shown = await run(t, server, lines);
  const answers = shown.split(/^\$ .*\n/m).slice(1);
  assert.deepEqual(
    answers.slice(0, 8).map((answer) => answer.trim()),
    [
      'web\nexit 0',
      'orders\nexit 0',
      '2\nexit 0',
      '1\nexit 0',
      '1\nexit 0',
      '1\nexit 0',
      '~ web: x509SvidTtl, hint, storeSvid\nexit 0',
      '~ orders: selectors, dnsNames, admin, expiresAt\nexit 0',
    ],
  );
  assert.match(answers[8] ?? '', /error\[CLI0601\][\s\S]*exit 2/);
  assert.match(answers[9] ?? '', /SRV0301[\s\S]*exit 1/);
  assert.match(answers[10] ?? '', /error\[REG0211\][\s\S]*exit 2/);
  const { createdAt, revision, ...web } = await json(t, server, 'entry show web');
  assert.match(String(createdAt), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.equal(typeof revision, 'number');
  assert.deepEqual(web, {
    apiVersion: 'plastron/v1',
    kind: 'Entry',
    id: 'web',
    spiffeId: 'spiffe://shop.example/web',
    parentId: 'spiffe://shop.example/node/a',
    selectors: ['unix:uid:1'],
    x509SvidTtl: 60,
    jwtSvidTtl: null,
    dnsNames: [],
    federatesWith: [],
    admin: false,
    downstream: false,
    storeSvid: false,
    disableX509SvidPrefetch: false,
    jwtSvidIncludeJti: false,
    hint: '',
    expiresAt: null,
  });
});

test('all pages of a long list are shown, and YAML says what JSON says', async (t) => {
  const server = await runningServer(t);
  for (const half of [0, 1]) {
    const entries = Array.from({ length: 300 }, (_, at) =>
      entryMessage(`/load/${half}/${at}`, '/node/demo', ['unix:uid:1']),
    );
    await createEntries(server, ...entries);
  }
  const listed = await json(t, server, 'entry list');
  assert.equal((listed.items as unknown[]).length, 600);
  const yaml = await run(t, server, ['entry list -o yaml']);
  assert.deepEqual(parse(yaml.slice(yaml.indexOf('\n') + 1, yaml.lastIndexOf('exit'))), listed);
});

test('a node is listed and shown; banned it is refused, evicted it is gone; a node that is not there hinders no other', async (t) => {
  const server = await runningServer(t);
  const { svid, connection } = await attestedAgent(t, server);
  const [item] = (await json(t, server, 'node list')).items as Record<string, unknown>[];
  assert.deepEqual([item?.id, item?.state, item?.attestation], [svid.id, 'active', 'join_token']);
  assert.equal((await json(t, server, `node show ${svid.id}`)).state, 'active');
  const unknown = 'spiffe://shop.example/spire/agent/x509pop/1';
  const shown = await run(t, server, [
    `node ban ${unknown} ${svid.id}`,
    'node count --banned',
    'node count --no-banned',
    'node list --banned',
    `node evict ${svid.id}`,
    'node count',
    `node show ${svid.id}`,
  ]);
  const answers = shown.split(/^\$ .*\n/m).slice(1);
  assert.match(
    answers[0] ?? '',
    new RegExp(`^- ${svid.id} banned\nerr\\| ✗ ${unknown}: SRV0404.*\n.*\nexit 1\n`),
  );
  assert.deepEqual(answers.slice(1, 3), ['1\nexit 0\n\n', '0\nexit 0\n\n']);
  assert.match(answers[3] ?? '', /join_token\/\S+ {2}banned {2}join_token/);
  assert.match(answers[4] ?? '', /^- \S+ evicted\nexit 0/);
  assert.equal(answers[5], '0\nexit 0\n\n');
  assert.match(answers[6] ?? '', /SRV0404[\s\S]*exit 1\n$/);
  assert.equal((await endOf(syncOnce(connection))).status, 'PERMISSION_DENIED');
});

test('bundles of other trust domains are set, listed, shown in both formats and deleted, never under entries that use them', async (t) => {
  const server = await runningServer(t);
  const pem = bundleToPem(bundleFromMessage(await server.admin.unary(bundleApi.GetBundle, {})));
  const lines = [
    'bundle set other.example -f other.pem',
    'bundle list',
    'bundle show other.example',
    'entry create --id fed --spiffe-id spiffe://shop.example/fed --parent-id spiffe://shop.example/node/a --selector unix:uid:1 --federates-with other.example',
    'bundle delete other.example',
    'bundle delete other.example --with-entries dissociate',
    'bundle show other.example',
    'bundle set other.example -f broken.pem',
    'bundle set shop.example -f other.pem',
  ];
  const shown = await run(t, server, lines, { 'other.pem': pem, 'broken.pem': 'x' });
  const answers = shown.split(/^\$ .*\n/m).slice(1);
  assert.equal(answers[0], '~ other.example: 1 X.509 and 0 JWT authorities\nexit 0\n\n');
  assert.match(answers[1] ?? '', /^other.example +1 +0 +0 +in \S+$/m);
  assert.equal(answers[2], `${pem}exit 0\n\n`);
  assert.match(answers[4] ?? '', /SRV0605[\s\S]*exit 1/);
  assert.equal(answers[5], '- other.example\nexit 0\n\n');
  assert.match(answers[6] ?? '', /SRV0603[\s\S]*exit 1/);
  assert.match(answers[7] ?? '', /error\[IDN03\d\d\][\s\S]*exit 2/);
  assert.match(answers[8] ?? '', /SRV0601[\s\S]*exit 1/);
});

test('JWKS that a bundle is shown as is read back as the same bundle', async (t) => {
  const server = await runningServer(t);
  const shown = await run(t, server, ['bundle show --format spiffe']);
  const jwks = shown.slice(shown.indexOf('\n') + 1, shown.lastIndexOf('exit'));
  const again = await run(
    t,
    server,
    ['bundle set other.example -f other.json --format spiffe', 'bundle show other.example --format spiffe'],
    { 'other.json': jwks },
  );
  assert.ok(again.includes(jwks), again);
});
