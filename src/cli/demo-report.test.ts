import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outcome } from '../demo/demo.js';
import type { Service, ServiceName } from '../demo/services.js';
import { peopleReport } from './demo-report.js';
import { createVoice } from './voice.js';

test('the report shows what happened, and marks what was not as expected', () => {
  const { report, text } = reportInText();
  const outcome = outcomeWith({ user: undefined });
  report.started(outcome.setting);
  report.called(outcome.calls);
  report.flipped(outcome.flips);
  report.rotated(outcome.rotation);
  report.ended(outcome, 7_849);
  assert.equal(
    text(),
    `A server, an agent, and three services behind real Envoys: up after 2.1 s
All are processes of one user, told apart by the path of their Envoy: that shows identities, it isolates nothing.

   caller    service  request                            expected  Envoy answered  decided by
✓  web       orders   GET /v1/orders/7                   allow     200             shop.yaml:web-reads
✗  intruder  orders   GET /v1/orders/7 (says it is web)  deny      200             shop.yaml:web-reads
✗  intruder  web      GET /                              deny      nothing         no rule

The policy file is edited while requests go on, on one connection: web DELETE /v1/orders/7
✓ 403 -> 200  4.2 ms after saving (allowing it), the same connection, no request failed
✗ 200 -> 403  5.1 ms after saving (taking that back), NOT the same connection, 2 requests failed

The SVIDs are renewed under open connections: web GET /v1/orders/7, 900 times
✓ web: its Envoy has loaded serial 07a18cf6… in the place of 1c389d6a…
✗ 3 of 4 connections kept, 1 request failed

✗ not everything was as expected, 7.8 s in all
`,
  );
});

test('the report says when each service is a user of its own', () => {
  const { report, text } = reportInText();
  report.started(outcomeWith({ user: 60_600 }).setting);
  assert.match(text(), /^Each service is a user of its own \(web 60600\), and is known by that\.$/m);
});

test('what to try goes to the person and not into the data', () => {
  const { report, text, said } = reportInText();
  report.kept(outcomeWith({ user: undefined }).setting);
  assert.equal(text(), '');
  assert.match(said(), /curl -i --unix-socket \/run\/x\/web\/outbound.sock http:\/\/orders\/v1\/orders\/7$/m);
  assert.match(said(), / why web orders DELETE \/v1\/orders\/7 --policy \/run\/x\/policy$/m);
});

function reportInText() {
  const written = { stdout: '', stderr: '' };
  const sink = (stream: 'stdout' | 'stderr') => ({
    write: (text: string) => {
      written[stream] += text;
    },
  });
  const streams = { stdout: sink('stdout'), stderr: sink('stderr') };
  const voice = createVoice({ ...streams, env: {}, color: 'never' });
  const cli = { ...streams, voice, env: {}, cwd: '/', color: 'never' as const, exitWith: () => undefined };
  return { report: peopleReport(cli), text: () => written.stdout, said: () => written.stderr };
}

function outcomeWith({ user }: { user: number | undefined }): Outcome {
  const folder = '/run/x/web';
  const web: Service = {
    ...{ name: 'web', user, envoy: '/run/x/envoy-web', folder, outboundSocket: `${folder}/outbound.sock` },
    ...{ adminSocket: `${folder}/admin.sock`, accessLog: `${folder}/access.log` },
  };
  const policy = { folder: '/run/x/policy', path: '/run/x/policy/shop.yaml' };
  const edits = { allowCancel: () => undefined, forbidCancel: () => undefined };
  const read = { to: 'orders', method: 'GET', path: '/v1/orders/7' } as const;
  return {
    setting: {
      ...{ adminSocket: '/run/x/server.sock', agentSocket: '/run/x/agent.sock' },
      ...{ address: '127.0.0.1:4711', agentAdminSocket: '/run/x/agent-admin.sock' },
      policy: { ...policy, ...edits },
      services: new Map<ServiceName, Service>([['web', web]]),
      started_ms: 2_084,
    },
    calls: [
      { from: 'web', ...read, expected: 'allow', status: 200, rule: 'shop.yaml:web-reads' },
      {
        ...{ from: 'intruder', ...read, note: 'says it is web' },
        ...{ expected: 'deny', status: 200, rule: 'shop.yaml:web-reads' },
      },
      { from: 'intruder', to: 'web', method: 'GET', path: '/', expected: 'deny', status: 0, rule: null },
    ],
    flips: {
      allowed: { saved_to_enforced_ms: 4.2, same_connection: true, failed_requests: 0 },
      denied: { saved_to_enforced_ms: 5.1, same_connection: false, failed_requests: 2 },
    },
    rotation: {
      ...{ connections_kept: 3, failed_requests: 1, requests: 900 },
      serials: [{ service: web, before: '1c389d6aa1b2c3d4', after: '07a18cf6e5f60718' }],
    },
  };
}
