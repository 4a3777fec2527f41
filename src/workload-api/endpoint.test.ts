import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { isFault } from '../base/faults/fault.js';
import { silentLog } from '../telemetry/log.js';
import { grpcServer } from '../transport/grpc-server.js';
import { healthHandlers } from '../transport/health.js';
import { service } from '../transport/service.js';
import { serviceDefinition } from '../wire/services.js';
import { configuredEndpoint, dialEndpoint, parseEndpoint } from './endpoint.js';

test('WE-04: an address is `unix` with an absolute path, or `tcp` with an IP address and a port', () => {
  const good = {
    'unix:///run/spire/agent.sock': { kind: 'unix', path: '/run/spire/agent.sock' },
    'unix:/agent.sock': { kind: 'unix', path: '/agent.sock' },
    'tcp://127.0.0.1:8000': { kind: 'tcp', host: '127.0.0.1', port: 8000 },
    'tcp://[::1]:8000': { kind: 'tcp', host: '[::1]', port: 8000 },
  };
  for (const [address, endpoint] of Object.entries(good)) assert.deepEqual(parseEndpoint(address), endpoint);
});

test('WE-04: whatever else an address says is refused, with the rule', () => {
  const bad = [
    ...['', 'blah', '/run/agent.sock', 'npipe:agent', 'https://127.0.0.1:1', 'UNIX:///a', ' unix:///a'],
    ...['unix:agent.sock', 'unix:', 'unix://', 'unix:///', 'unix://agent.sock', 'unix://host/agent.sock'],
    ...['unix:////a', 'unix:///a?x', 'unix:///a#x', 'unix://user@/a', 'unix:///a?', 'unix:///a#'],
    ...[
      'tcp:127.0.0.1:1',
      'tcp://',
      'tcp://127.0.0.1',
      'tcp://127.0.0.1:',
      'tcp://:8000',
      'tcp://agent:8000',
    ],
    ...['tcp://127.0.0.1:0', 'tcp://127.0.0.1:65536', 'tcp://127.0.0.1:1/', 'tcp://127.0.0.1:1/a'],
    ...['tcp://127.0.0.1:1?x', 'tcp://127.0.0.1:1#x', 'tcp://user@127.0.0.1:1', 'tcp://300.0.0.1:1'],
    ...['tcp://::1:8000', 'tcp://[127.0.0.1:1', 'tcp://[zz]:1'],
  ];
  for (const address of bad) {
    assert.throws(
      () => parseEndpoint(address),
      (error) => isFault(error, 'WLA0501'),
      address,
    );
  }
});

test('WE-04: SPIFFE_ENDPOINT_SOCKET counts when nothing else was said', () => {
  const env = { SPIFFE_ENDPOINT_SOCKET: 'unix:///env.sock' };
  assert.deepEqual(configuredEndpoint(undefined, env), { kind: 'unix', path: '/env.sock' });
  assert.deepEqual(configuredEndpoint('unix:///option.sock', env), { kind: 'unix', path: '/option.sock' });
  for (const none of [{}, { SPIFFE_ENDPOINT_SOCKET: '' }]) {
    assert.throws(
      () => configuredEndpoint(undefined, none),
      (error) => isFault(error, 'WLA0502'),
    );
  }
});

test('WE-04: an endpoint over TCP is called without TLS', async (t) => {
  const health = service(
    'grpc.health.v1.Health',
    healthHandlers([], async () => true),
  );
  const grpc = grpcServer([health], silentLog);
  const listener = createServer((connection) =>
    grpc.serve(connection, { kind: 'tls', presented: [], address: 'test' }),
  );
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const connection = dialEndpoint(parseEndpoint(`tcp://127.0.0.1:${port}`));
  t.after(async () => {
    connection.close();
    listener.close();
    await grpc.close(0);
  });
  const { Check } = serviceDefinition('grpc.health.v1.Health');
  assert.equal((await connection.unary(Check, {})).status, 'SERVING');
});
