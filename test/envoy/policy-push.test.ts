import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../src/base/clock.js';
import { policySourceForEnvoys } from '../../src/control/policy-source.js';
import { createPolicyState } from '../../src/control/policy-state.js';
import { watchPolicyFolder } from '../../src/control/policy-watcher.js';
import { silentLog } from '../../src/telemetry/log.js';
import { serveUnix } from '../../src/transport/unix-server.js';
import { xdsServices } from '../../src/xds/engine.js';
import type { XdsEvent } from '../../src/xds/source.js';
import { temporaryFolder } from '../support/children.js';
import { startServedPolicyEnvoy } from '../support/policy-envoy.js';
import { waitFor } from '../support/shop.js';

const head = 'version: 1\ntrustDomains: { one: { id: one.example } }\n';
const service = 'services: { s: { identity: one:/s, protocol: http } }\n';
const reads = 'rules:\n  - { name: reads, from: one:/web, to: s, allow: GET /v1/** }\n';

test('a saved file is enforced on an open connection, a broken one changes nothing, a removed service is denied', async (t) => {
  const folder = temporaryFolder(t);
  const policy = join(folder, 'policy');
  mkdirSync(policy);
  const save = (text: string) => writeFileSync(join(policy, 'a.yaml'), text);
  save(`${head}${service}`);
  const state = createPolicyState({ folder: policy, clock: systemClock, log: silentLog });
  t.after(() => state.close());
  t.after(watchPolicyFolder({ folder: policy, onFiles: state.offer, onProblem: state.refuse }));
  const events: XdsEvent<null>[] = [];
  const services = xdsServices<null>({
    sources: [policySourceForEnvoys(state)],
    identify: async () => null,
    isAlive: () => true,
    onEvent: (event) => events.push(event),
  });
  const server = await serveUnix({ path: join(folder, 'xds.sock'), mode: 0o600, services });
  t.after(() => server.close());
  const { envoy, send } = await startServedPolicyEnvoy(t, ['one.example'], server.path);

  const get = () => send('http1', { caller: 'spiffe://one.example/web', method: 'GET', path: '/v1/orders' });
  const answered = (status: number, rule: string) =>
    waitFor(async () => {
      const answer = await get();
      return answer.status === status && answer.rule === rule;
    }, `${status} by ${rule}`);
  await answered(403, 'default-deny');

  const start = performance.now();
  save(`${head}${service}${reads}`);
  await answered(200, 'a.yaml:reads');
  t.diagnostic(`from save to enforced: ${Math.round(performance.now() - start)} ms`);

  save(`${head}${service}${reads}  - { name: broken`);
  await waitFor(() => state.refusal() !== undefined, 'the refusal');
  assert.equal((await get()).status, 200);

  save(`${head}${service}${reads}  - { name: no-export, from: one:/**, to: s, deny: ANY /** }\n`);
  await answered(403, 'a.yaml:no-export');
  save(head);
  await answered(403, 'no-policy');
  save(`${head}${service}${reads}`);
  await answered(200, 'a.yaml:reads');

  assert.equal(await envoy.stat('listener.127.0.0.1_0.downstream_cx_total'), 1);
  assert.ok(events.some(({ kind }) => kind === 'ack') && !events.some(({ kind }) => kind === 'nack'));
});
