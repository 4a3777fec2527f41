import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from '../../test/support/children.js';
import { type LogLine, recordingLog } from '../../test/support/log.js';
import {
  bundleApi,
  entryApi,
  type RunningTestServer,
  runningServer,
} from '../../test/support/running-server.js';
import { until } from '../../test/support/until.js';
import { Fault } from '../base/faults/fault.js';

// Files of entries in the policy directory of a real server: `server/entries-folder.ts`.

const policy = `version: 1
trustDomains: { shop: { id: shop.example } }
services:
  orders: { identity: shop:/orders, protocol: http }
`;
const entries = (...more: string[]) => `version: 1
entries:
  - name: web
    spiffeId: spiffe://shop.example/web
    parentId: spiffe://shop.example/node/demo
    selectors: unix:uid:1
${more.map((line) => `    ${line}\n`).join('')}`;
const second = `  - name: orders
    spiffeId: spiffe://shop.example/orders
    parentId: spiffe://shop.example/node/demo
    selectors: unix:uid:2
`;

async function withFolder(t: TestContext, files: Readonly<Record<string, string>>) {
  const folder = join(temporaryFolder(t), 'policy');
  mkdirSync(folder);
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  for (const [name, text] of Object.entries(files)) write(name, text);
  const log = recordingLog();
  const server = await runningServer(t, { policyDir: folder, log });
  const said = (sentence: string): LogLine[] => log.lines.filter((line) => line.sentence === sentence);
  return { folder, write, server, said, lines: log.lines };
}

async function idsOf({ admin }: RunningTestServer): Promise<string[]> {
  const { entries: listed = [] } = await admin.unary(entryApi.ListEntries, {});
  return listed.map(({ id = '' }) => id).sort();
}

test('entries beside the policy are created at the start and updated when the file is; nothing is deleted, and the log says so', async (t) => {
  const { write, server, said } = await withFolder(t, {
    'shop.yaml': policy,
    'entries.yaml': `${entries()}${second}`,
  });
  await until(() => said('entries were applied').length === 1);
  assert.deepEqual(await idsOf(server), ['applied-orders', 'applied-web']);
  write('entries.yaml', entries('x509SvidTtl: 60'));
  await until(() => said('entries were applied').length === 2);
  assert.equal((await server.admin.unary(entryApi.GetEntry, { id: 'applied-web' })).x509_svid_ttl, 60);
  assert.deepEqual(await idsOf(server), ['applied-orders', 'applied-web']);
  assert.deepEqual(said('entries that no file has any more are kept').at(-1)?.fields, {
    count: 1,
    entries: ['applied-orders'],
  });
});

test('a file with a mistake changes no entry and names its place, and it holds no policy up', async (t) => {
  const { write, server, said } = await withFolder(t, { 'shop.yaml': policy, 'entries.yaml': entries() });
  await until(() => said('entries were applied').length === 1);
  write('broken.yaml', entries().replace('unix:uid:1', 'uid'));
  write('shop.yaml', policy.replace('orders:', 'stock:'));
  await until(() => said('the files of entries have mistakes, so no entry was changed').length > 0);
  const [problem] = said('`uid` is not a selector');
  assert.equal(problem?.fields.place, 'broken.yaml:6:16');
  assert.deepEqual(await idsOf(server), ['applied-web']);
  await until(() => said('policy in force').length === 2);
});

test('what somebody changes by hand is logged field by field and left; the next change of the files puts it back', async (t) => {
  const { write, server, said } = await withFolder(t, { 'shop.yaml': policy, 'entries.yaml': entries() });
  await until(() => said('entries were applied').length === 1);
  await server.admin.unary(entryApi.BatchUpdateEntry, {
    entries: [{ id: 'applied-web', x509_svid_ttl: 90 }],
    input_mask: { x509_svid_ttl: true },
  });
  await until(() => said('an entry of the files was changed by somebody').length === 1);
  assert.deepEqual(said('an entry of the files was changed by somebody')[0]?.fields, {
    entry: 'applied-web',
    changes: [{ field: 'x509SvidTtl', from: 0, to: 90 }],
  });
  await server.admin.unary(entryApi.BatchDeleteEntry, { ids: ['applied-web'] });
  await until(() => said('an entry of the files was deleted by somebody').length === 1);
  assert.deepEqual(await idsOf(server), []);
  write('entries.yaml', entries('hint: internal'));
  await until(() => said('entries were applied').length === 2);
  assert.deepEqual(await idsOf(server), ['applied-web']);
});

test('an entry that federates with an unknown trust domain is refused with its place, and created once its bundle is there', async (t) => {
  const { server, said } = await withFolder(t, {
    'shop.yaml': policy,
    'entries.yaml': `${entries('federatesWith: other.example')}${second}`,
  });
  await until(() => said('entries were applied').length === 1);
  assert.deepEqual(said('entries were applied')[0]?.fields, {
    created: 1,
    updated: 0,
    unchanged: 0,
    refused: 1,
  });
  assert.deepEqual(await idsOf(server), ['applied-orders']);
  const { x509_authorities = [] } = await server.admin.unary(bundleApi.GetBundle, {});
  await server.admin.unary(bundleApi.BatchSetFederatedBundle, {
    bundle: [{ trust_domain: 'other.example', x509_authorities }],
  });
  await until(async () => (await idsOf(server)).length === 2);
});

test('a folder that has lost its policy keeps the last one in force, however many entries it has', async (t) => {
  const { folder, lines, said } = await withFolder(t, { 'shop.yaml': policy, 'entries.yaml': entries() });
  await until(() => said('policy in force').length === 1);
  rmSync(join(folder, 'shop.yaml'));
  const fault = (line: LogLine) => line.fields.error instanceof Fault && line.fields.error.code === 'CTL0102';
  await until(() => lines.some(fault));
  assert.equal(said('policy in force').length, 1);
});
