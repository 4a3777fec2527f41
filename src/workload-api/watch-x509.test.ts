import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { shop } from '../../test/support/agent.js';
import { testCa } from '../../test/support/ca.js';
import { temporaryFolder } from '../../test/support/children.js';
import { identityOf, servedWorkloadApi, viewOf } from '../../test/support/served-workload-api.js';
import { until } from '../../test/support/until.js';
import { systemClock } from '../base/clock.js';
import { fault, isFault } from '../base/faults/fault.js';
import type { Bundle } from '../spiffe/bundle.js';
import { type GrpcConnection, remoteStatus } from '../transport/grpc-client.js';
import { serveUnix } from '../transport/unix-server.js';
import { dialEndpoint } from './endpoint.js';
import { watchX509 } from './watch-x509.js';
import type { X509Context } from './x509-context.js';

const ca = testCa(shop);
const partner = testCa('partner.example');
const web = ca.intermediate().svid('spiffe://shop.example/web').svid;
const batch = ca.svid('spiffe://shop.example/batch').svid;

/** A watch, and what it saw. Its pauses are as short as they can be. */
function watching(t: TestContext, connection: GrpcConnection) {
  const ending = new AbortController();
  const seen = { contexts: [] as X509Context[], troubles: [] as unknown[], pauses: [] as number[] };
  const ended = watchX509({
    connection,
    clock: systemClock,
    signal: ending.signal,
    random: () => 0,
    onContext: (context) => seen.contexts.push(context),
    onTrouble(error, retryMs) {
      seen.troubles.push(error);
      seen.pauses.push(retryMs);
    },
  });
  ended.catch(() => undefined);
  const stop = async () => {
    ending.abort();
    await ended;
  };
  t.after(() => ending.abort());
  return { ...seen, ended, stop };
}

const dial = (t: TestContext, path: string) => {
  const connection = dialEndpoint({ kind: 'unix', path });
  t.after(() => connection.close());
  return connection;
};

test('WA-06: each context takes the place of the one before, so a bundle or an SVID that is not there any more is gone', async (t) => {
  const full = viewOf(ca.bundle, [identityOf(web, 'main'), identityOf(batch)], partner.bundle);
  const { path, show } = await servedWorkloadApi(t, full);
  const { contexts, stop } = watching(t, dial(t, path));
  await until(() => contexts.length === 1);
  assert.deepEqual(
    contexts[0]?.svids.map(({ svid, hint }) => [svid.id, hint]),
    [
      [web.id, 'main'],
      [batch.id, ''],
    ],
  );
  assert.deepEqual([...(contexts[0]?.bundles.keys() ?? [])].sort(), ['partner.example', 'shop.example']);
  assert.deepEqual(contexts[0]?.svids[0]?.svid.chain.map(Buffer.from), web.chain.map(Buffer.from));
  show(viewOf(ca.bundle, [identityOf(batch)]));
  await until(() => contexts.length === 2);
  assert.deepEqual([...(contexts[1]?.bundles.keys() ?? [])], ['shop.example']);
  assert.equal(contexts[1]?.svids.length, 1);
  await stop();
});

test('WE-07: PermissionDenied and Unavailable are tried again with growing pauses, and end when there is an identity', async (t) => {
  const { path, show } = await servedWorkloadApi(t, viewOf(ca.bundle, []));
  const { contexts, troubles, pauses, stop } = watching(t, dial(t, path));
  await until(() => troubles.length === 2);
  assert.deepEqual(troubles.map(remoteStatus), ['PERMISSION_DENIED', 'PERMISSION_DENIED']);
  assert.ok((pauses[1] ?? 0) > (pauses[0] ?? 0));
  show(viewOf(ca.bundle, [identityOf(web)]));
  await until(() => contexts.length === 1);
  await stop();
});

test('WE-07: InvalidArgument and Unimplemented are not tried again', async (t) => {
  const attest = async () => Promise.reject(fault('WLA0301', { field: 'thing' }));
  const { path } = await servedWorkloadApi(t, 'unknown', { attest });
  const { ended, troubles } = watching(t, dial(t, path));
  await assert.rejects(ended, (error) => remoteStatus(error) === 'INVALID_ARGUMENT');
  const empty = join(temporaryFolder(t), 'none.sock');
  const server = await serveUnix({ path: empty, mode: 0o600, services: [] });
  t.after(() => server.close());
  const other = watching(t, dial(t, empty));
  await assert.rejects(other.ended, (error) => remoteStatus(error) === 'UNIMPLEMENTED');
  assert.deepEqual([...troubles, ...other.troubles], []);
});

test('an answer that is not good in every part is refused whole, and the next good one is taken', async (t) => {
  const stranger = testCa(shop).svid(web.id).svid;
  const noRoots: Bundle = { ...ca.bundle, x509Authorities: [] };
  const wrong = [
    viewOf(ca.bundle, [identityOf(stranger)]),
    viewOf(ca.bundle, [identityOf(web), identityOf({ ...batch, privateKey: web.privateKey })]),
    viewOf(ca.bundle, [identityOf({ ...web, id: batch.id })]),
    viewOf(ca.bundle, [identityOf({ ...web, privateKey: new Uint8Array(3) })]),
    viewOf(ca.bundle, [identityOf({ ...web, chain: [new Uint8Array(3)] })]),
    viewOf(noRoots, [identityOf(web)]),
  ];
  const { path, show } = await servedWorkloadApi(t, viewOf(ca.bundle, [identityOf(web)]));
  const { contexts, troubles, pauses, stop } = watching(t, dial(t, path));
  await until(() => contexts.length === 1);
  for (const [index, view] of wrong.entries()) {
    show(view);
    await until(() => troubles.length === index + 1);
  }
  assert.ok(troubles.every((error) => isFault(error, 'WLA0503')));
  assert.ok(pauses.every((pause) => pause === 0));
  show(viewOf(ca.bundle, [identityOf(batch)]));
  await until(() => contexts.length === 2);
  await stop();
});
