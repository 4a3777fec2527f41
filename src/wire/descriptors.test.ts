import assert from 'node:assert/strict';
import { test } from 'node:test';
import descriptors from 'protobufjs/ext/descriptor/index.js';
import { descriptorsOf } from './descriptors.js';
import { protoFiles } from './proto-files.js';

interface Field {
  name: string;
  number: number;
  type: number;
  label: number;
  typeName?: string;
  jsonName: string;
  oneofIndex?: number;
  proto3Optional?: boolean;
}
interface Message {
  name: string;
  field?: Field[];
  nestedType?: Message[];
  enumType?: { name: string }[];
  oneofDecl?: { name: string }[];
  options?: { mapEntry?: boolean };
}
interface File {
  name: string;
  package?: string;
  dependency?: string[];
  messageType?: Message[];
  enumType?: { name: string; value: { name: string; number: number }[] }[];
  service?: { name: string; method: Record<string, unknown>[] }[];
}

const { FileDescriptorProto } = descriptors;
const read = (bytes: Uint8Array) => FileDescriptorProto.toObject(FileDescriptorProto.decode(bytes)) as File;

/** Every service that is vendored. */
const services = [...protoFiles().declaredIn.keys()].filter((name) =>
  /^envoy\.service\..*Service$|API$|\.Health$|Reflection$|^spire\.api\.server\..*\.(?:Agent|Bundle|Entry|SVID)$/.test(
    name,
  ),
);
const known = ['SpiffeWorkloadAPI', 'envoy.service.secret.v3.SecretDiscoveryService'];

function filesOf(found: readonly Buffer[] | undefined): File[] {
  return (found ?? assert.fail('nothing was found')).map(read);
}

function declared({ messageType = [], enumType = [], package: space = '' }: File): string[] {
  const inMessage = (prefix: string, { name, nestedType = [], enumType: enums = [] }: Message): string[] => [
    `${prefix}.${name}`,
    ...enums.map((one) => `${prefix}.${name}.${one.name}`),
    ...nestedType.flatMap((nested) => inMessage(`${prefix}.${name}`, nested)),
  ];
  const prefix = space === '' ? '' : `.${space}`;
  return [
    ...messageType.flatMap((message) => inMessage(prefix, message)),
    ...enumType.map(({ name }) => `${prefix}.${name}`),
  ];
}

function fieldsIn({ field = [], nestedType = [] }: Message): Field[] {
  return [...field, ...nestedType.flatMap(fieldsIn)];
}

test('whatever a file refers to is in that file or in those that it imports, and these come with it', () => {
  const all = descriptorsOf(known);
  for (const name of known) {
    const files = filesOf(all.bySymbol(name));
    const byName = new Map(files.map((file) => [file.name, file]));
    for (const file of files) {
      const imported = (file.dependency ?? []).map((path) => byName.get(path) ?? assert.fail(path));
      const types = new Set([file, ...imported].flatMap(declared));
      for (const { typeName } of (file.messageType ?? []).flatMap(fieldsIn)) {
        assert.ok(typeName === undefined || types.has(typeName), `${file.name} refers to ${typeName}`);
      }
      for (const { inputType, outputType } of (file.service ?? []).flatMap(({ method }) => method)) {
        assert.ok(types.has(String(inputType)) && types.has(String(outputType)));
      }
    }
  }
});

test('a map is a list of entries, and a method says which of its sides stream', () => {
  const [file = assert.fail()] = filesOf(descriptorsOf(known).byPath('workload/workload.proto'));
  assert.deepEqual(file.dependency, ['google/protobuf/struct.proto']);
  const response = file.messageType?.find(({ name }) => name === 'X509SVIDResponse');
  const map = response?.field?.find(({ name }) => name === 'federated_bundles');
  assert.equal(map?.typeName, '.X509SVIDResponse.FederatedBundlesEntry');
  assert.equal(map?.jsonName, 'federatedBundles');
  assert.equal(map?.label, 3);
  const [entry] = response?.nestedType ?? [];
  assert.deepEqual(entry?.options, { mapEntry: true });
  assert.deepEqual(
    entry?.field?.map(({ name, number, type }) => [name, number, type]),
    [
      ['key', 1, 9],
      ['value', 2, 12],
    ],
  );
  const [api = assert.fail()] = file.service ?? [];
  assert.deepEqual(api.method[0], {
    name: 'FetchX509SVID',
    inputType: '.X509SVIDRequest',
    outputType: '.X509SVIDResponse',
    clientStreaming: false,
    serverStreaming: true,
  });
});

test('well-known types have their own names of fields back, with their oneofs and enums', () => {
  const [file = assert.fail()] = filesOf(descriptorsOf(known).bySymbol('google.protobuf.Value'));
  assert.equal(file.name, 'google/protobuf/struct.proto');
  const value = file.messageType?.find(({ name }) => name === 'Value');
  assert.deepEqual(
    value?.field?.map(({ name, number, oneofIndex }) => [name, number, oneofIndex]),
    [
      ['null_value', 1, 0],
      ['number_value', 2, 0],
      ['string_value', 3, 0],
      ['bool_value', 4, 0],
      ['struct_value', 5, 0],
      ['list_value', 6, 0],
    ],
  );
  assert.deepEqual(file.enumType, [{ name: 'NullValue', value: [{ name: 'NULL_VALUE', number: 0 }] }]);
});

test('every vendored service can be described, and a name that none of its files declares is not found', () => {
  assert.ok(services.length > 10, services.join());
  const all = descriptorsOf(services);
  for (const name of services) {
    const [file = assert.fail(name)] = filesOf(all.bySymbol(name));
    assert.ok(file.service?.some((one) => name.endsWith(one.name)));
    for (const { proto3Optional, oneofIndex } of (file.messageType ?? []).flatMap(fieldsIn)) {
      assert.ok(!proto3Optional || oneofIndex !== undefined);
    }
  }
  assert.ok(all.bySymbol('SpiffeWorkloadAPI.ValidateJWTSVID'));
  assert.ok(all.bySymbol('X509SVID.hint'));
  assert.equal(all.bySymbol('SpiffeWorkloadAPI.Other'), undefined);
  assert.equal(all.byPath('workload/other.proto'), undefined);
});
