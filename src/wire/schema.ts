import protobuf from 'protobufjs';
import { fault } from '../base/faults/fault.js';
import { protoFiles } from './proto-files.js';

/**
 * The message type with a full name, as in `envoy.config.rbac.v3.RBAC`. The file that declares it and what that imports are
 * read at the first call that needs them, so a process pays only for the messages it speaks.
 */
export function messageType(name: string): protobuf.Type {
  const type = lookup(name);
  if (type instanceof protobuf.Type) return type;
  throw fault('WIR0101', { type: name });
}

/** The service with a full name, as in `envoy.service.secret.v3.SecretDiscoveryService`; loaded like a message type. */
export function serviceType(name: string): protobuf.Service {
  const service = lookup(name);
  if (service instanceof protobuf.Service) return service;
  throw fault('WIR0401', { service: name });
}

/** Whether the vendored protos, or the well-known types, have a message with this name. */
export function isKnownMessage(name: string): boolean {
  return lookup(name) instanceof protobuf.Type;
}

const root = new protobuf.Root();
const found = new Map<string, protobuf.ReflectionObject>();

// An import that is not in the table only declares options.
root.resolvePath = (origin, target) => (origin === '' ? target : (protoFiles().paths.get(target) ?? null));

// protobufjs has these inside (in camelCase, whatever `keepCase` says) and reads no file for them.
const wellKnown = ['any', 'duration', 'empty', 'field_mask', 'struct', 'timestamp', 'wrappers'];
/** Their import paths. */
export const wellKnownFiles: readonly string[] = wellKnown.map((name) => `google/protobuf/${name}.proto`);
root.loadSync([...wellKnownFiles]);

function lookup(name: string): protobuf.ReflectionObject | null {
  const known = found.get(name);
  if (known !== undefined) return known;
  const path = declaringFile(name);
  if (path !== undefined) root.loadSync(path, { keepCase: true });
  const object = root.lookup(`.${name}`);
  // protobufjs also finds a name in any package below the one where it should be.
  if (object === null || object.fullName !== `.${name}`) return null;
  found.set(name, object);
  return object;
}

/** A nested message lies in the file of the message around it. */
function declaringFile(name: string): string | undefined {
  const { declaredIn } = protoFiles();
  for (let outer = name; outer !== ''; outer = outer.slice(0, Math.max(0, outer.lastIndexOf('.')))) {
    const path = declaredIn.get(outer);
    if (path !== undefined) return path;
  }
  return undefined;
}
