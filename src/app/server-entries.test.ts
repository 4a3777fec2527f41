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
    entryMessage('/orders', parent, ['unix:uid:2', 'docker:label:a'], { store_svid: true }),
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
    [3, 'REG0213', undefined],
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

const whole = {
  x509_svid_ttl: 60,
  jwt_svid_ttl: 30,
  admin: true,
  downstream: true,
  expires_at: '2000000000',
  dns_names: ['web.shop.example', 'a'],
  store_svid: true,
  hint: 'h',
  additional_attributes: { disable_x509_svid_prefetch: true, jwt_svid_include_jti: true },
} as const;

/** Without the names of the arms of optional fields, which a decoder adds. */
function fieldsOf(entry: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(entry).filter(([name]) => !name.startsWith('_')));
}

test('every field of an entry is kept; a mask gives the fields that it names, and no others', async (t) => {
  const { admin } = await runningServer(t);
  const { results = [] } = await admin.unary(entryApi.BatchCreateEntry, {
    entries: [
      entryMessage('/web', parent, ['unix:uid:1'], { id: 'web', ...whole, dns_names: [...whole.dns_names] }),
    ],
  });
  const { created_at = '0', revision_number = '0', ...given } = fieldsOf(results[0]?.entry ?? {});
  const expected = { id: 'web', spiffe_id: id('/web'), parent_id: id(parent), ...whole };
  assert.deepEqual(given, { ...expected, selectors: [{ type: 'unix', value: 'uid:1' }] });
  assert.ok(Number(created_at) > 0 && Number(revision_number) > 0);
  const all = { ...given, created_at, revision_number };
  for (const [field, value] of Object.entries(all)) {
    if (field === 'id') continue;
    const masked = await admin.unary(entryApi.GetEntry, { id: 'web', output_mask: { [field]: true } });
    assert.deepEqual(fieldsOf(masked), { id: 'web', [field]: value }, field);
  }
  assert.deepEqual(await admin.unary(entryApi.GetEntry, { id: 'web', output_mask: {} }), { id: 'web' });
});

test('an update changes each field alone, and back to nothing', async (t) => {
  const { admin } = await runningServer(t);
  await admin.unary(entryApi.BatchCreateEntry, {
    entries: [entryMessage('/web', parent, ['unix:uid:1'], { id: 'web' })],
  });
  const plain = await admin.unary(entryApi.GetEntry, { id: 'web' });
  const contentOf = (entry: object) => ({ ...fieldsOf(entry), revision_number: undefined });
  for (const [field, value] of Object.entries(whole)) {
    const update = async (entry: object) => {
      const request = { entries: [{ id: 'web', ...entry }], input_mask: { [field]: true } };
      return contentOf((await admin.unary(entryApi.BatchUpdateEntry, request)).results?.[0]?.entry ?? {});
    };
    // What the mask does not name is not looked at.
    assert.deepEqual(
      await update({ ...whole, [field]: value }),
      { ...contentOf(plain), [field]: value },
      field,
    );
    assert.deepEqual(await update({}), contentOf(plain), field);
  }
});

test('IDs that mean something to JavaScript are IDs like any other (S34)', async (t) => {
  const server = await runningServer(t);
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
  const missing = await server.admin.unary(entryApi.BatchDeleteEntry, { ids: names });
  assert.ok(missing.results?.every(({ status }) => status?.code === 5));
  const entries = names.map((name, index) =>
    entryMessage('/web', parent, [`unix:uid:${index}`], { id: name }),
  );
  assert.deepEqual(await createEntries(server, ...entries), names);
  for (const name of names) {
    const { id: found, selectors } = await server.admin.unary(entryApi.GetEntry, { id: name });
    assert.deepEqual([found, selectors?.length], [name, 1]);
  }
  const { entries: listed = [] } = await server.admin.unary(entryApi.ListEntries, {});
  assert.deepEqual(listed.map((entry) => entry.id).sort(), names.sort());
});

test('a missing ID, an unknown one and a batch without end each have their own answer (S34)', async (t) => {
  const { admin } = await runningServer(t);
  const { results = [] } = await admin.unary(entryApi.BatchDeleteEntry, { ids: ['', 'nothing'] });
  assert.deepEqual(
    results.map(({ status, id: of }) => [status?.code, of ?? '']),
    [
      [3, ''],
      [5, 'nothing'],
    ],
  );
  assert.equal((await endOf(admin.unary(entryApi.GetEntry, {}))).status, 'INVALID_ARGUMENT');
  const ids = Array.from({ length: 1001 }, (_, index) => String(index));
  assert.equal((await endOf(admin.unary(entryApi.BatchDeleteEntry, { ids }))).status, 'INVALID_ARGUMENT');
  const large = entryMessage('/web', parent, ['unix:uid:1'], { hint: 'x'.repeat(5 * 1024 * 1024) });
  const tooLarge = admin.unary(entryApi.BatchCreateEntry, { entries: [large] });
  assert.equal((await endOf(tooLarge)).status, 'RESOURCE_EXHAUSTED');
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
