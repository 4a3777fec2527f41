import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault } from '../base/faults/fault.js';
import { encode } from './messages.js';
import { serviceDefinition } from './services.js';

const sds = serviceDefinition('envoy.service.secret.v3.SecretDiscoveryService');

test('a service has its methods with their paths and streams', () => {
  const { DeltaSecrets, FetchSecrets } = sds;
  assert.equal(DeltaSecrets.path, '/envoy.service.secret.v3.SecretDiscoveryService/DeltaSecrets');
  assert.deepEqual([DeltaSecrets.requestStream, DeltaSecrets.responseStream], [true, true]);
  assert.deepEqual([FetchSecrets.requestStream, FetchSecrets.responseStream], [false, false]);
  assert.equal(FetchSecrets.originalName, 'fetchSecrets');
});

test('a response passes the strict encoder, and bytes pass through as they are', () => {
  const { responseSerialize, responseDeserialize } = sds.StreamSecrets;
  const bytes = encode('envoy.service.discovery.v3.DiscoveryResponse', { version_info: '7' });
  assert.deepEqual(responseSerialize({ version_info: '7' }), bytes);
  assert.deepEqual(responseSerialize(new Uint8Array(bytes) as never), bytes);
  assert.equal(responseDeserialize(bytes).version_info, '7');
  assert.throws(
    () => responseSerialize({ versioninfo: '7' } as never),
    (error) => isFault(error, 'WIR0102'),
  );
});

test('bytes that are no message are refused', () => {
  assert.throws(
    () => sds.StreamSecrets.requestDeserialize(Buffer.from('ff', 'hex')),
    (error) => isFault(error, 'WIR0301'),
  );
});

test('every service that we speak loads', () => {
  const names: string[] = [
    'envoy.service.discovery.v3.AggregatedDiscoveryService',
    'envoy.service.extension.v3.ExtensionConfigDiscoveryService',
    'envoy.service.status.v3.ClientStatusDiscoveryService',
    'envoy.service.accesslog.v3.AccessLogService',
    'spire.api.server.agent.v1.Agent',
    'spire.api.server.entry.v1.Entry',
    'spire.api.server.svid.v1.SVID',
    'spire.api.server.bundle.v1.Bundle',
    'SpiffeWorkloadAPI',
    'grpc.health.v1.Health',
    'grpc.reflection.v1.ServerReflection',
  ];
  for (const name of names) assert.notEqual(Object.keys(serviceDefinition(name) as object).length, 0, name);
  assert.throws(
    () => serviceDefinition('no.such.Service'),
    (error) => isFault(error, 'WIR0401'),
  );
});
