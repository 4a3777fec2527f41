import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { findEnvoy } from '../../src/demo/envoy-binary.js';
import { buildImage } from './harness/image.js';
import { openProject, type Project } from './harness/project.js';

const repository = fileURLToPath(new URL('../../../', import.meta.url));

/** The commands, users, volumes and networks of the compose file, as they are; no engine. */
suite('docker compose up', { skip: whyNot() }, () => {
  let place: string;
  let project: Project;
  let open: () => Project;

  before(async () => {
    place = mkdtempSync(join(tmpdir(), 'plc-'));
    // A copy, since the policy is edited.
    cpSync(join(repository, 'examples'), join(place, 'examples'), { recursive: true });
    mkdirSync(join(place, 'image'));
    const plastron = await buildImage(
      join(repository, 'examples/docker-compose/Dockerfile'),
      repository,
      join(place, 'image'),
    );
    // Node is there for what the tests try as the intruder.
    const programs = { ...plastron.programs, envoy: await envoyBinary() };
    const envoy = { ...plastron, root: join(place, 'no-layers'), cwd: '/', programs };
    mkdirSync(envoy.root);
    open = () =>
      openProject({
        file: join(place, 'examples/docker-compose/compose.yaml'),
        images: { 'plastron:local': plastron, 'envoyproxy/envoy:v1.40.0': envoy },
        place,
      });
    project = open();
    await project.up();
  });

  after(async () => {
    await project?.down();
    rmSync(place, { recursive: true, force: true });
  });

  test('web reads an order, and orders knows who asked', async () => {
    const answer = await untilAnswered(() => call('web-app', 'orders', 'GET', '/v1/orders/7'));
    assert.deepEqual(answer, { status: 200, caller: 'spiffe://shop.example/web' });
  });

  test('what no rule allows is denied, and the intruder everything', async () => {
    assert.deepEqual(await call('web-app', 'orders', 'DELETE', '/v1/orders/7'), { status: 403 });
    assert.deepEqual(await call('intruder-calls', 'orders', 'GET', '/healthz'), { status: 403 });
    assert.deepEqual(await call('intruder-calls', 'orders', 'GET', '/v1/orders/7'), { status: 403 });
    assert.deepEqual(await call('intruder-calls', 'web', 'GET', '/'), { status: 403 });
  });

  test('the output of `docker compose up` shows the calls and their answers', async () => {
    await untilLogged('web-calls', /^orders GET \/v1\/orders\/7: 200$/m);
    await untilLogged('web-calls', /^orders DELETE \/v1\/orders\/7: 403$/m);
    await untilLogged('intruder-calls', /^orders GET \/v1\/orders\/7: 403$/m);
    await untilLogged('orders', /"rule":"[^"]*:web-reads"/);
  });

  test('nothing of a service is on the network but the mTLS listener of its Envoy', async () => {
    for (const service of ['orders', 'web']) assert.deepEqual(await listeningPorts(service), [8443]);
    for (const service of ['intruder', 'web-app', 'orders-app'])
      assert.deepEqual(await listeningPorts(service), []);
  });

  test('the intruder that leaves its Envoy out is refused: no TLS, no certificate', async () => {
    for (const host of ['orders', 'web']) {
      assert.match(await runIn('intruder', plainRequest(host)), /^refused/);
      assert.match(await runIn('intruder', tlsRequest(host)), /^refused/);
    }
  });

  test('as its own user the intruder cannot open the application, outbound or admin socket of another service', async () => {
    for (const [service, names] of [
      ['web-app', ['app.sock', 'outbound.sock', 'admin.sock']],
      ['orders-app', ['app.sock', 'admin.sock']],
    ] as const) {
      for (const name of names) {
        const open = `/run/service/${name}`;
        assert.equal(await runIn(service, opening(open)), 'open', `${service} ${name}`);
        assert.equal(await runIn(service, opening(open), '10013:10013'), 'EACCES', `${service} ${name}`);
      }
    }
  });

  test('the policy is edited on the host, and enforced', async () => {
    const path = join(place, 'examples/policy/shop.yaml');
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace('GET /v1/orders/*]', 'GET /v1/orders/*, DELETE /v1/orders/*]'));
    const deadline = Date.now() + 20_000;
    while ((await call('web-app', 'orders', 'DELETE', '/v1/orders/7')).status !== 200) {
      assert.ok(Date.now() < deadline, project.logs('server'));
      await sleep(50);
    }
  });

  test('down and up again: the server and the agent are who they were', async () => {
    await project.down();
    project = open();
    await project.up();
    const answer = await untilAnswered(() => call('web-app', 'orders', 'GET', '/v1/orders/7'));
    assert.deepEqual(answer, { status: 200, caller: 'spiffe://shop.example/web' });
    const attested = project.logs('server').match(/"msg":"an agent was attested"/g);
    assert.equal(attested?.length, 1, 'the agent attested again');
  });

  interface Answer {
    status: number;
    caller?: string;
  }

  async function call(container: string, to: string, method: string, path: string): Promise<Answer> {
    const options = { socketPath: '/run/service/outbound.sock', method, path, headers: { host: to } };
    const program = `
      const request = require('node:http').request(${JSON.stringify(options)}, async (response) => {
        let body = '';
        for await (const chunk of response) body += chunk;
        const caller = response.statusCode === 200 ? { caller: JSON.parse(body).caller } : {};
        console.log(JSON.stringify({ status: response.statusCode, ...caller }));
      });
      request.on('error', () => console.log('{"status":0}')).end();`;
    return JSON.parse(await runIn(container, program)) as Answer;
  }

  async function untilAnswered(ask: () => Promise<Answer>): Promise<Answer> {
    const deadline = Date.now() + 30_000;
    for (;;) {
      const answer = await ask();
      // Not there yet: no Envoy, no SVID on the other side, no policy.
      if (answer.status === 200 || Date.now() > deadline) return answer;
      await sleep(100);
    }
  }

  async function untilLogged(service: string, line: RegExp): Promise<void> {
    const deadline = Date.now() + 30_000;
    while (!line.test(project.logs(service))) {
      assert.ok(Date.now() < deadline, `${service}: ${project.logs(service)}`);
      await sleep(100);
    }
  }

  async function listeningPorts(service: string): Promise<number[]> {
    const { output } = await project.exec(service, ['cat', '/proc/net/tcp', '/proc/net/tcp6']);
    const ports = output
      .split('\n')
      .map((line) => /^\s*\d+: \S+:([0-9A-F]{4}) \S+ 0A /.exec(line)?.[1])
      .filter((port) => port !== undefined);
    return [...new Set(ports.map((port) => Number.parseInt(port, 16)))];
  }

  async function runIn(service: string, program: string, user?: string): Promise<string> {
    return (await project.exec(service, ['node', '-e', program], user)).output.trim();
  }
});

/** Speaks HTTP without TLS to a service's Envoy. */
function plainRequest(host: string): string {
  return `require('node:http').get({ host: '${host}', port: 8443, path: '/healthz' },
    (response) => console.log('answered', response.statusCode)).on('error', (e) => console.log('refused', e.code));`;
}

/** Speaks TLS, without a client certificate. */
function tlsRequest(host: string): string {
  return `require('node:https').get({ host: '${host}', port: 8443, path: '/healthz', rejectUnauthorized: false },
    (response) => console.log('answered', response.statusCode)).on('error', (e) => console.log('refused', e.code));`;
}

function opening(socket: string): string {
  return `const socket = require('node:net').connect('${socket}', () => { console.log('open'); socket.destroy(); });
    socket.on('error', (e) => console.log(e.code));`;
}

async function envoyBinary(): Promise<string> {
  return await findEnvoy(process.env, (sentence) => console.error(sentence));
}

function whyNot(): string | false {
  if (process.getuid?.() !== 0) return 'needs root, for network namespaces and users';
  const ip = spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' });
  if (ip.status !== 0) return `needs ip of iproute2: ${ip.stderr ?? ip.error?.message}`;
  const spaces = spawnSync('unshare', ['--mount', '--pid', '--fork', 'true'], { encoding: 'utf8' });
  return spaces.status === 0 ? false : `needs the right to make namespaces: ${spaces.stderr}`;
}
