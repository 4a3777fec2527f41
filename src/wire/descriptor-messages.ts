import protobuf, { type Enum, type Field, type Method, type Service, type Type } from 'protobufjs';

/** One message of `descriptor.proto`, as protobufjs takes it. */
type Descriptor = Readonly<Record<string, unknown>>;

/** What a .proto file declares, as `google.protobuf.DescriptorProto` and its like describe it: structure, no comments, no options of others. */
export function messageDescriptor(type: Type): Descriptor {
  const [real, synthetic] = [
    type.oneofsArray.filter((oneof) => !oneof.isProto3Optional),
    type.oneofsArray.filter((oneof) => oneof.isProto3Optional),
  ];
  // Readers want the oneofs that `optional` stands for after the others.
  const oneofs = [...real, ...synthetic];
  const fields = type.fieldsArray.map((field) => field.resolve());
  return {
    name: type.name,
    field: fields.map((field) => ({
      ...fieldDescriptor(field),
      ...(field.partOf && { oneofIndex: oneofs.indexOf(field.partOf) }),
      ...(field.partOf?.isProto3Optional && { proto3Optional: true }),
    })),
    nestedType: [
      ...type.nestedArray.filter((nested) => nested instanceof protobuf.Type).map(messageDescriptor),
      ...fields.filter(({ map }) => map).map(entryDescriptor),
    ],
    enumType: type.nestedArray.filter((nested) => nested instanceof protobuf.Enum).map(enumDescriptor),
    oneofDecl: oneofs.map(({ name }) => ({ name })),
  };
}

export function enumDescriptor({ name, values, options }: Enum): Descriptor {
  return {
    name,
    value: Object.entries(values).map(([value, number]) => ({ name: value, number })),
    ...(options?.allow_alias && { options: { allowAlias: true } }),
  };
}

export function serviceDescriptor({ name, methodsArray }: Service): Descriptor {
  return { name, method: methodsArray.map(methodDescriptor) };
}

function methodDescriptor(method: Method): Descriptor {
  method.resolve();
  return {
    name: method.name,
    inputType: method.resolvedRequestType?.fullName,
    outputType: method.resolvedResponseType?.fullName,
    clientStreaming: method.requestStream === true,
    serverStreaming: method.responseStream === true,
  };
}

const [single, repeated] = [1, 3];

function fieldDescriptor(field: Field): Descriptor {
  const { id: number, map, parent } = field;
  const common = { ...namesOf(field), number, label: field.repeated || map ? repeated : single };
  if (map)
    return { ...common, type: typeNumbers.message, typeName: `${parent?.fullName}.${entryName(field)}` };
  return { ...common, ...typeOf(field) };
}

/** A map is a list of messages of a type of its own. */
function entryDescriptor(field: Field): Descriptor {
  const key = { name: 'key', jsonName: 'key', number: 1, label: single, type: typeNumbers[keyTypeOf(field)] };
  const value = { name: 'value', jsonName: 'value', number: 2, label: single, ...typeOf(field) };
  return { name: entryName(field), field: [key, value], options: { mapEntry: true } };
}

const keyTypeOf = (field: Field): string => (field instanceof protobuf.MapField ? field.keyType : '');

function entryName(field: Field): string {
  const { jsonName } = namesOf(field);
  return `${jsonName.charAt(0).toUpperCase()}${jsonName.slice(1)}Entry`;
}

/** protobufjs has the names of the well-known types in camelCase only. */
function namesOf({ name: known, parent }: Field): { name: string; jsonName: string } {
  const isWellKnown = parent?.fullName.startsWith('.google.protobuf.');
  const name = isWellKnown ? known.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`) : known;
  return { name, jsonName: name.replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()) };
}

function typeOf({ type, resolvedType }: Field): Descriptor {
  if (!resolvedType) return { type: typeNumbers[type] };
  const kind = resolvedType instanceof protobuf.Enum ? 'enum' : 'message';
  return { type: typeNumbers[kind], typeName: resolvedType.fullName };
}

/** `google.protobuf.FieldDescriptorProto.Type`. */
const typeNumbers: Record<string, number> = {
  ...{ double: 1, float: 2, int64: 3, uint64: 4, int32: 5, fixed64: 6, fixed32: 7, bool: 8, string: 9 },
  ...{ message: 11, bytes: 12, uint32: 13, enum: 14, sfixed32: 15, sfixed64: 16, sint32: 17, sint64: 18 },
};
