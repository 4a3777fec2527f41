import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from '../../test/support/children.js';
import { recordingLog } from '../../test/support/log.js';
import {
  agentApi,
  attestedAgent,
  createEntries,
  entryApi,
  entryMessage,
  runningServer,
} from '../../test/support/running-server.js';
import { extensionConfigTypeUrl } from '../envoy/rbac/http-filter.js';
import { pathOf } from '../spiffe/id.js';
import type { GrpcConnection } from '../transport/grpc-client.js';
import type { EncodedResource } from '../wire/resource.js';
import { handedOn, type ResourceFeed, wildcardFeed } from '../xds/client.js';

const policy = `version: 1
trustDomains: { shop: { id: shop.example } }
services:
  orders: { identity: shop:/orders, protocol: http }
  web: { identity: shop:/web, protocol: http }
rules:
  - { name: web-reads, from: web, to: orders, allow: GET /** }
`;

function policyFolder(t: TestContext): string {
  const folder = join(temporaryFolder(t), 'policy');
  mkdirSync(folder);
  writeFileSync(join(folder, 'shop.yaml'), policy);
  return folder;
}

function feedOf(t: TestContext, connection: GrpcConnection, log = recordingLog()) {
  const feed = wildcardFeed({
    connection,
    typeUrl: extensionConfigTypeUrl,
    read: handedOn,
    log,
    backoff: { firstMs: 5, maxMs: 50 },
  });
  t.after(() => feed.close());
  return { feed, log };
}

/** Waits until the feed has exactly these resources. */
async function untilNamed(feed: ResourceFeed<EncodedResource>, ...names: string[]): Promise<void> {
  const found = () => {
    const current = feed.current();
    return current === 'unknown' ? undefined : [...current.keys()].sort().join();
  };
  await new Promise<void>((resolve) => {
    const look = () => {
      if (found() !== names.sort().join()) return;
      stop();
      resolve();
    };
    const stop = feed.onChange(look);
    look();
  });
}

test('an agent is given the policies of the services of its entries, of no others, and follows its entries', {
  timeout: 60_000,
}, async (t) => {
  const server = await runningServer(t, { policyDir: policyFolder(t) });
  const { svid, connection } = await attestedAgent(t, server);
  const { feed } = feedOf(t, connection);
  await untilNamed(feed);
  const [web = ''] = await createEntries(server, entryMessage('/web', pathOf(svid.id), ['unix:uid:1']));
  await untilNamed(feed, 'plastron/http/web');
  await createEntries(server, entryMessage('/orders', pathOf(svid.id), ['unix:uid:2']));
  await untilNamed(feed, 'plastron/http/orders', 'plastron/http/web');
  await server.admin.unary(entryApi.BatchDeleteEntry, { ids: [web] });
  await untilNamed(feed, 'plastron/http/orders');
});

test('a policy that is saved reaches an agent that is connected; a broken one changes nothing', {
  timeout: 60_000,
}, async (t) => {
  const policyDir = policyFolder(t);
  const log = recordingLog();
  const server = await runningServer(t, { policyDir, log });
  const { svid, connection } = await attestedAgent(t, server);
  await createEntries(server, entryMessage('/orders', pathOf(svid.id), ['unix:uid:2']));
  const { feed } = feedOf(t, connection);
  await untilNamed(feed, 'plastron/http/orders');
  const version = () => {
    const current = feed.current();
    return current === 'unknown' ? undefined : current.get('plastron/http/orders')?.version;
  };
  const before = version();
  writeFileSync(join(policyDir, 'shop.yaml'), policy.replace('from: web', 'from: nobody'));
  while (!log.lines.some(({ sentence }) => sentence.startsWith('policy refused'))) await tick();
  assert.equal(version(), before);
  writeFileSync(join(policyDir, 'shop.yaml'), policy.replace('GET', 'POST'));
  while (version() === before) await tick();
});

test('the stream of an agent that is banned ends, and it is not let in again (S12)', {
  timeout: 60_000,
}, async (t) => {
  const server = await runningServer(t, { policyDir: policyFolder(t) });
  const { svid, connection } = await attestedAgent(t, server);
  await createEntries(server, entryMessage('/orders', pathOf(svid.id), ['unix:uid:2']));
  const { feed, log } = feedOf(t, connection);
  await untilNamed(feed, 'plastron/http/orders');
  await server.admin.unary(agentApi.BanAgent, {
    id: { trust_domain: 'shop.example', path: pathOf(svid.id) },
  });
  while (!log.lines.some(({ fields }) => String(fields.error).includes('SRV0105'))) await tick();
});

test('only agents are given policies', { timeout: 60_000 }, async (t) => {
  const server = await runningServer(t, { policyDir: policyFolder(t) });
  const { log } = feedOf(t, server.admin);
  while (!log.lines.some(({ fields }) => String(fields.error).includes('UNIMPLEMENTED'))) await tick();
});

const tick = () => new Promise((resolve) => setTimeout(resolve, 5));
