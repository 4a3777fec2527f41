import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  attestedAgent,
  createEntries,
  endOf,
  entryApi,
  entryMessage,
  runningServer,
  syncOnce,
} from '../../test/support/running-server.js';
import { Fault } from '../base/faults/fault.js';
import { pathOf } from '../spiffe/id.js';

const parent = '/node/demo';
const id = (path: string) => ({ trust_domain: 'shop.example', path });

test('of a batch the good entries are created, and each bad one says what is wrong with it', async (t) => {
  const { admin } = await runningServer(t);
  const entries = [
    entryMessage('/web', parent, ['unix:uid:1'], { id: 'web' }),
    entryMessage('/spire/server', parent, ['unix:uid:1']),
    entryMessage('/orders', parent, []),
    entryMessage('/web', parent, ['unix:uid:1']),
    entryMessage('/orders', parent, ['unix:uid:2'], { store_svid: true }),
    entryMessage('/orders', parent, ['unix:uid:2'], { federates_with: ['other.example'] }),
    { ...entryMessage('/orders', parent, ['unix:uid:2']), spiffe_id: undefined },
    entryMessage('/orders', parent, ['unix:uid:2']),
  ];
  const { results = [] } = await admin.unary(entryApi.BatchCreateEntry, {
    entries: entries.map(({ spiffe_id, ...entry }) => (spiffe_id ? { spiffe_id, ...entry } : entry)),
    output_mask: { spiffe_id: true },
  });
  const said = results.map(({ status, entry }) => [
    status?.code ?? 0,
    /^[A-Z]{3}\d{4}/.exec(status?.message ?? '')?.[0],
    entry?.spiffe_id?.path,
  ]);
  assert.deepEqual(said, [
    [0, undefined, '/web'],
    [3, 'REG0202', undefined],
    [3, 'REG0203', undefined],
    [6, 'SRV0302', '/web'],
    [3, 'SRV0303', undefined],
    [3, 'SRV0304', undefined],
    [3, 'SRV0201', undefined],
    [0, undefined, '/orders'],
  ]);
  assert.equal(results[0]?.entry?.parent_id, undefined);
});

test('an update changes what its mask names and nothing else; agents see another revision of the same entry', async (t) => {
  const server = await runningServer(t);
  const { svid, connection } = await attestedAgent(t, server);
  const [web = ''] = await createEntries(
    server,
    entryMessage('/web', pathOf(svid.id), ['unix:uid:1'], { hint: 'a' }),
  );
  const before = (await syncOnce(connection)).entries?.[0];
  const { results = [] } = await server.admin.unary(entryApi.BatchUpdateEntry, {
    entries: [
      { id: web, hint: 'b', x509_svid_ttl: 60 },
      { id: 'nothing', hint: 'b' },
      { id: web, hint: 'x'.repeat(1025) },
    ],
    input_mask: { hint: true },
  });
  assert.deepEqual(
    results.map(({ status }) => status?.code ?? 0),
    [0, 5, 3],
  );
  const after = await server.admin.unary(entryApi.GetEntry, { id: web });
  assert.deepEqual([after.hint, after.x509_svid_ttl ?? 0, after.selectors?.length], ['b', 0, 1]);
  const seen = (await syncOnce(connection)).entries?.[0];
  assert.notEqual(seen?.revision_number, before?.revision_number);
  assert.equal(after.created_at, (await server.admin.unary(entryApi.GetEntry, { id: web })).created_at);
});

test('an update without a mask replaces the whole entry, and never into another one', async (t) => {
  const server = await runningServer(t);
  const [web = '', orders = ''] = await createEntries(
    server,
    entryMessage('/web', parent, ['unix:uid:1'], { hint: 'a' }),
    entryMessage('/orders', parent, ['unix:uid:2']),
  );
  const { results = [] } = await server.admin.unary(entryApi.BatchUpdateEntry, {
    entries: [
      entryMessage('/web', parent, ['unix:uid:7'], { id: web }),
      entryMessage('/web', parent, ['unix:uid:7'], { id: orders }),
    ],
  });
  assert.deepEqual(
    results.map(({ status }) => status?.code ?? 0),
    [0, 6],
  );
  assert.equal(results[0]?.entry?.hint ?? '', '');
  assert.equal(results[1]?.entry, undefined);
});

test('entries are listed, filtered and counted, page by page', async (t) => {
  const server = await runningServer(t);
  await createEntries(
    server,
    entryMessage('/web', parent, ['unix:uid:1', 'unix:gid:1'], { hint: 'h' }),
    entryMessage('/orders', parent, ['unix:uid:2']),
    entryMessage('/stock', '/node/other', ['unix:uid:2'], { downstream: true }),
  );
  const list = async (filter: object) => {
    const { entries = [] } = await server.admin.unary(entryApi.ListEntries, { filter });
    const { count = 0 } = await server.admin.unary(entryApi.CountEntries, { filter });
    assert.equal(count, entries.length);
    return entries.map((entry) => entry.spiffe_id?.path).sort();
  };
  assert.deepEqual(await list({}), ['/orders', '/stock', '/web']);
  assert.deepEqual(await list({ by_spiffe_id: id('/web') }), ['/web']);
  assert.deepEqual(await list({ by_parent_id: id(parent) }), ['/orders', '/web']);
  assert.deepEqual(await list({ by_hint: { value: 'h' } }), ['/web']);
  assert.deepEqual(await list({ by_downstream: { value: true } }), ['/stock']);
  const uid2 = [{ type: 'unix', value: 'uid:2' }];
  assert.deepEqual(await list({ by_selectors: { selectors: uid2, match: 'MATCH_SUPERSET' } }), [
    '/orders',
    '/stock',
  ]);
  const first = await server.admin.unary(entryApi.ListEntries, { page_size: 2 });
  const rest = await server.admin.unary(entryApi.ListEntries, { page_token: first.next_page_token ?? '' });
  assert.deepEqual([first.entries?.length, rest.entries?.length, rest.next_page_token ?? ''], [2, 1, '']);
});

test('what is deleted is gone for agents at once; deleting it again is an answer, not an error', async (t) => {
  const server = await runningServer(t);
  const { svid, connection } = await attestedAgent(t, server);
  const [web = ''] = await createEntries(server, entryMessage('/web', pathOf(svid.id), ['unix:uid:1']));
  const remove = async () =>
    (await server.admin.unary(entryApi.BatchDeleteEntry, { ids: [web] })).results?.[0];
  assert.deepEqual([(await remove())?.status?.code ?? 0, (await remove())?.status?.code], [0, 5]);
  assert.deepEqual((await syncOnce(connection)).entries ?? [], []);
  assert.equal((await endOf(server.admin.unary(entryApi.GetEntry, { id: web }))).status, 'NOT_FOUND');
});

test('a server starts with the entries of a file, and does not start with a file that is wrong', async (t) => {
  const text = `version: 1
entries:
  - name: web
    spiffeId: spiffe://shop.example/web
    parentId: spiffe://shop.example/node/demo
    selectors: unix:uid:1
`;
  const first = await runningServer(t, { entries: { path: 'entries.yaml', text } });
  const before = await first.admin.unary(entryApi.GetEntry, { id: 'applied-web' });
  await first.close();
  const { dataDir } = first;
  const second = await runningServer(t, { dataDir, entries: { path: 'entries.yaml', text } });
  assert.deepEqual(await second.admin.unary(entryApi.GetEntry, { id: 'applied-web' }), before);
  await second.close();
  const wrong = { path: 'entries.yaml', text: text.replace('uid:1', '') };
  await assert.rejects(runningServer(t, { dataDir, entries: wrong }), (error) => {
    assert.ok(error instanceof Fault);
    assert.match(error.message, /^the entries in `entries.yaml` cannot be used: entries.yaml:6:16: /);
    return true;
  });
});
