import protobuf, { type Namespace, type ReflectionObject } from 'protobufjs';
import descriptors from 'protobufjs/ext/descriptor/index.js';
import { enumDescriptor, messageDescriptor, serviceDescriptor } from './descriptor-messages.js';
import { protoFiles } from './proto-files.js';
import { serviceType, wellKnownFiles } from './schema.js';

/**
 * .proto files as gRPC's reflection gives them: each a `google.protobuf.FileDescriptorProto`. Loading this module costs an agent
 * a fifth of its start, so it is loaded when somebody asks.
 */
export interface Descriptors {
  /** The file with an import path and all that it imports, itself first; `undefined` when it is not among them. */
  byPath(path: string): readonly Buffer[] | undefined;
  /** The same for the file that declares a service, method, message, field or enum, by its full name. */
  bySymbol(name: string): readonly Buffer[] | undefined;
}

interface File {
  readonly objects: readonly ReflectionObject[];
  /** The files that it imports, each with one thing that it declares. */
  readonly imports: ReadonlyMap<string, ReflectionObject>;
  readonly bytes: Buffer;
}

/** The files that declare these services, and whatever those need. Options that others define are left out, as are their files. */
export function descriptorsOf(services: readonly string[]): Descriptors {
  const files = new Map<string, File>();
  const symbols = new Map<string, string>();
  const add = (path: string, object: ReflectionObject) => {
    if (files.has(path)) return;
    const file = fileOf(path, object);
    files.set(path, file);
    for (const symbol of file.objects.flatMap(symbolsOf)) symbols.set(symbol, path);
    for (const [needed, type] of file.imports) add(needed, type);
  };
  for (const name of services) {
    const service = serviceType(name);
    add(pathOf(service), service);
  }
  const withImports = (path: string, found = new Set<string>()): Set<string> => {
    if (found.has(path)) return found;
    found.add(path);
    for (const one of files.get(path)?.imports.keys() ?? []) withImports(one, found);
    return found;
  };
  const byPath = (path: string) =>
    files.has(path) ? [...withImports(path)].flatMap((one) => files.get(one)?.bytes ?? []) : undefined;
  return {
    byPath,
    bySymbol(name) {
      const path = symbols.get(name);
      return path === undefined ? undefined : byPath(path);
    },
  };
}

/** `object` is one that the file declares outside of any message. */
function fileOf(path: string, object: ReflectionObject): File {
  const space = object.parent as Namespace;
  const objects = space.nestedArray.filter((one) => isDeclaration(one) && pathOf(one) === path);
  const needed = [...neededBy(objects)].filter(([other]) => other !== path);
  const imports = new Map(needed.sort(([a], [b]) => (a < b ? -1 : 1)));
  const message = descriptors.FileDescriptorProto.fromObject({
    name: path,
    package: space.fullName.slice(1),
    dependency: [...imports.keys()],
    messageType: objects.filter((one) => one instanceof protobuf.Type).map(messageDescriptor),
    enumType: objects.filter((one) => one instanceof protobuf.Enum).map(enumDescriptor),
    service: objects.filter((one) => one instanceof protobuf.Service).map(serviceDescriptor),
    syntax: 'proto3',
  });
  return { objects, imports, bytes: Buffer.from(descriptors.FileDescriptorProto.encode(message).finish()) };
}

/** The files of all types that these refer to, each with one thing that it declares. */
function neededBy(objects: readonly ReflectionObject[]): Map<string, ReflectionObject> {
  const needed = objects.flatMap(typesIn).map(outermost);
  return new Map(needed.map((type) => [pathOf(type), type]));
}

function typesIn(object: ReflectionObject): ReflectionObject[] {
  if (object instanceof protobuf.Service) {
    return object.methodsArray.flatMap((method) => {
      method.resolve();
      const { resolvedRequestType: request, resolvedResponseType: response } = method;
      return [request, response].filter((type) => type !== null);
    });
  }
  if (!(object instanceof protobuf.Type)) return [];
  const fields = object.fieldsArray.map((field) => field.resolve().resolvedType);
  return [...fields.filter((type) => type !== null), ...object.nestedArray.flatMap(typesIn)];
}

function symbolsOf(object: ReflectionObject): string[] {
  const own = object.fullName.slice(1);
  if (object instanceof protobuf.Service) {
    return [own, ...object.methodsArray.map(({ name }) => `${own}.${name}`)];
  }
  if (!(object instanceof protobuf.Type)) return [own];
  return [
    own,
    ...object.fieldsArray.map(({ name }) => `${own}.${name}`),
    ...object.nestedArray.filter(isDeclaration).flatMap(symbolsOf),
  ];
}

const isDeclaration = (object: ReflectionObject): boolean =>
  object instanceof protobuf.Type || object instanceof protobuf.Enum || object instanceof protobuf.Service;

/** The declaration of a file that a type lies in. */
function outermost(type: ReflectionObject): ReflectionObject {
  return type.parent instanceof protobuf.Type ? outermost(type.parent) : type;
}

/** The import path of the file that declares something. */
function pathOf(object: ReflectionObject): string {
  const path = wellKnownPaths.get(object.fullName) ?? importPaths.get(object.filename ?? '');
  if (path === undefined) throw new Error(`${object.fullName} is declared in no known file`);
  return path;
}

/** Import paths by full names: protobufjs does not say where what it has inside comes from. */
const wellKnownPaths: ReadonlyMap<string, string> = new Map(
  wellKnownFiles.flatMap((path) => namesIn(path).map((name) => [name, path] as const)),
);

function namesIn(wellKnownFile: string): string[] {
  const root = protobuf.Root.fromJSON(protobuf.common.get(wellKnownFile) ?? {});
  const space = root.lookup('google.protobuf') as Namespace;
  return space.nestedArray.map(({ fullName }) => fullName);
}

/** Import paths by paths on disk. */
const importPaths: ReadonlyMap<string, string> = new Map(
  [...protoFiles().paths].map(([path, onDisk]) => [onDisk, path]),
);
