import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from '../../test/support/children.js';
import { startPlastron } from '../../test/support/plastron.js';
import { bundlePemOf } from '../../test/support/running-agent.js';
import {
  createEntries,
  demoNode,
  entryMessage,
  joinToken,
  runningServer,
} from '../../test/support/running-server.js';
import { until } from '../../test/support/until.js';
import { workloadClient } from '../../test/support/workload-api.js';
import { remoteStatus } from '../transport/grpc-client.js';
import { serviceDefinition } from '../wire/services.js';

const health = serviceDefinition('grpc.health.v1.Health');
const reflection = {
  v1: serviceDefinition('grpc.reflection.v1.ServerReflection'),
  v1alpha: serviceDefinition('grpc.reflection.v1alpha.ServerReflection'),
};

/** An agent as a process, with an entry `web` for this user, and a client of its socket once it serves. */
async function agentProcess(t: TestContext) {
  const server = await runningServer(t);
  const folder = temporaryFolder(t);
  const at = (name: string) => join(folder, name);
  await createEntries(server, entryMessage('/web', '/node/demo', [`unix:uid:${process.geteuid?.()}`]));
  writeFileSync(at('token'), await joinToken(server, demoNode), { mode: 0o600 });
  writeFileSync(at('bundle.pem'), await bundlePemOf(server));
  const child = startPlastron(t, [
    ...['agent', 'run', '--trust-domain', 'shop.example', '--server', server.address],
    ...['--data-dir', at('data'), '--socket', at('w.sock'), '--admin-socket', at('a.sock')],
    ...['--trust-bundle', at('bundle.pem'), '--join-token-file', at('token')],
  ]);
  const client = workloadClient(t, at('w.sock'));
  const serves = () =>
    client.connection.unary(health.Check, {}).then(
      ({ status }) => status === 'SERVING',
      () => false,
    );
  await until(serves);
  return { server, client, pid: child.pid ?? 0, socket: at('w.sock') };
}

test('the socket of an agent that runs as a process', { timeout: 60_000 }, async (t) => {
  const { client, pid, socket } = await agentProcess(t);
  const { connection } = client;

  await t.test(
    'WE-01, WE-03: gRPC on a unix socket that every process may open, without TLS and credentials',
    async () => {
      assert.ok(statSync(socket).isSocket());
      assert.equal(statSync(socket).mode & 0o777, 0o777);
      const { svids } = await client.x509Svids().next();
      assert.equal(svids?.[0]?.spiffe_id, 'spiffe://shop.example/web');
    },
  );

  await t.test('WE-10: nothing of it can be reached from another host', () => {
    assert.deepEqual(listeningTcpSockets(pid), []);
  });

  await t.test('WA-01: X.509 and JWT are both served', async () => {
    const { svids: [jwt] = [] } = await client.fetchJwt(['orders']);
    assert.equal(
      (await client.validateJwt('orders', jwt?.svid ?? '')).spiffe_id,
      'spiffe://shop.example/web',
    );
    assert.equal(Object.keys((await client.x509Bundles().next()).bundles ?? {}).length, 1);
    assert.equal(Object.keys((await client.jwtBundles().next()).bundles ?? {}).length, 1);
  });

  await t.test(
    'WE-08: reflection, current and v1alpha, says what is served, without the security header',
    async () => {
      for (const { ServerReflectionInfo } of Object.values(reflection)) {
        const stream = connection.stream(ServerReflectionInfo);
        const answers = stream.responses[Symbol.asyncIterator]();
        stream.send({ list_services: '' });
        const listed = (await answers.next()).value?.list_services_response?.service ?? [];
        assert.deepEqual(
          listed.map(({ name }: { name?: string }) => name),
          [
            'SpiffeWorkloadAPI',
            'envoy.service.discovery.v3.AggregatedDiscoveryService',
            'envoy.service.extension.v3.ExtensionConfigDiscoveryService',
            'envoy.service.secret.v3.SecretDiscoveryService',
            'grpc.health.v1.Health',
            'grpc.reflection.v1.ServerReflection',
            'grpc.reflection.v1alpha.ServerReflection',
          ],
        );
        for (const { name = '' } of listed) {
          stream.send({ file_containing_symbol: name });
          const { value } = await answers.next();
          assert.ok(value?.file_descriptor_response?.file_descriptor_proto?.length, name);
        }
        stream.cancel();
      }
    },
  );

  await t.test(
    'health is told for the whole and for each service, and not for one that is not there',
    async () => {
      for (const service of ['', 'SpiffeWorkloadAPI', 'envoy.service.secret.v3.SecretDiscoveryService']) {
        assert.equal((await connection.unary(health.Check, { service })).status, 'SERVING');
      }
      await assert.rejects(
        connection.unary(health.Check, { service: 'Other' }),
        (error) => remoteStatus(error) === 'NOT_FOUND',
      );
      const watch = connection.stream(health.Watch);
      watch.send({});
      const { value } = await watch.responses[Symbol.asyncIterator]().next();
      assert.equal(value?.status, 'SERVING');
      watch.cancel();
    },
  );
});

/** Local addresses at which a process listens for TCP, as the kernel writes them. */
function listeningTcpSockets(pid: number): string[] {
  const inodes = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        // Closed meanwhile.
        return [];
      }
    }),
  );
  const lines = ['tcp', 'tcp6'].flatMap((name) =>
    readFileSync(`/proc/${pid}/net/${name}`, 'utf8').split('\n'),
  );
  const listening = '0A';
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[3] === listening && inodes.has(columns[9] ?? ''))
    .map((columns) => columns[1] ?? '');
}
