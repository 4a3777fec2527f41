import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault } from '../base/faults/fault.js';
import { planOf } from './plan.js';
import { protoFiles } from './proto-files.js';
import { isKnownMessage, messageType, serviceType } from './schema.js';

test('every vendored message and service loads, one by one in any order, with every type that its fields have', () => {
  const names = [...protoFiles().declaredIn.keys()].reverse();
  assert.ok(names.length > 500, `${names.length} names`);
  for (const name of names) {
    if (isKnownMessage(name)) assert.notEqual(planOf(messageType(name)).name, '');
    else
      assert.ok(
        serviceType(name).methodsArray.every(({ resolvedRequestType }) => resolvedRequestType),
        name,
      );
  }
});

test('nested messages and well-known types are found by their full names', () => {
  assert.equal(messageType('xds.type.matcher.v3.Matcher.OnMatch').fields.matcher?.id, 1);
  assert.ok(messageType('google.protobuf.Struct').fields.fields?.map);
});

test('what is no message or service is refused, whatever else it names', () => {
  const names = [
    '',
    '.',
    'envoy',
    'envoy.config.rbac.v3',
    'envoy.config.rbac.v3.RBAC.Action',
    'RBAC',
    'toString',
  ];
  for (const name of [
    ...names,
    'envoy.config.rbac.v3.RBAC.NoSuch',
    'envoy.service.secret.v3.SecretDiscoveryService',
  ]) {
    assert.equal(isKnownMessage(name), false, name);
    assert.throws(
      () => messageType(name),
      (error) => isFault(error, 'WIR0101'),
    );
  }
  assert.throws(
    () => serviceType('envoy.config.rbac.v3.RBAC'),
    (error) => isFault(error, 'WIR0401'),
  );
});
