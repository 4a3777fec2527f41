import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startEnvoy } from '../support/envoy.js';

const hello = `
admin: { address: { pipe: { path: admin.sock, mode: 384 } } }
static_resources:
  listeners:
    - name: hello
      address: { socket_address: { address: 127.0.0.1, port_value: 0 } }
      filter_chains:
        - filters:
            - name: hcm
              typed_config:
                '@type': type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                stat_prefix: hello
                route_config:
                  virtual_hosts:
                    - { name: all, domains: ['*'], routes: [{ match: { prefix: / }, direct_response: { status: 200 } }] }
                http_filters:
                  - name: router
                    typed_config: { '@type': type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }
`;

test('an Envoy runs, says its port and its counters, and is gone after stop', async (t) => {
  const envoy = await startEnvoy(t, { config: hello });
  assert.match(await envoy.admin('/server_info'), /"state": "LIVE"/);
  assert.equal(typeof (await envoy.port('hello')), 'number');
  assert.equal(await envoy.stat('http.hello.downstream_rq_total'), 0);
  await envoy.stop();
  assert.throws(() => process.kill(envoy.pid, 0), /ESRCH/);
});

test('an Envoy whose bootstrap is wrong says so', async (t) => {
  await assert.rejects(startEnvoy(t, { config: 'admin: { adress: 7 }' }), /adress/);
});

const noSetpriv = spawnSync('setpriv', ['--version']).error && 'setpriv (util-linux) is not installed';

test('an Envoy does not outlive a test process that is killed', { skip: noSetpriv ?? false }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pe-'));
  const program = `
    import { startEnvoy } from ${JSON.stringify(new URL('../support/envoy.js', import.meta.url).href)};
    const envoy = await startEnvoy({ after() {} }, { config: ${JSON.stringify(hello)} });
    console.log(envoy.pid);
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TMPDIR: folder },
  });
  t.after(() => {
    parent.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(line);
  assert.ok(isRunning(pid));
  parent.kill('SIGKILL');
  while (isRunning(pid)) await sleep(20);
});

function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
