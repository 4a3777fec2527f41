import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import type { Method, Type } from 'protobufjs';
import { decodeMessage } from './decode.js';
import { encodeMessage } from './encode.js';
import type { ServiceOf } from './names.js';
import { serviceType } from './schema.js';

/**
 * The grpc-js definition of a service by its full name. Both directions pass the strict encoder; a Uint8Array handed over in
 * place of a message is taken as its bytes, so that a message encoded once can go out on many streams.
 */
export function serviceDefinition<Name extends string>(name: Name): ServiceOf<Name> {
  const service = serviceType(name);
  const methods = service.methodsArray.map(
    (method) => [method.name, methodDefinition(name, method)] as const,
  );
  return Object.fromEntries(methods) as ServiceDefinition as ServiceOf<Name>;
}

function methodDefinition(service: string, method: Method): MethodDefinition<unknown, unknown> {
  method.resolve();
  const { resolvedRequestType: request, resolvedResponseType: response } = method;
  if (!request || !response) throw new Error(`${service}.${method.name} has a message that is not loaded`);
  return {
    path: `/${service}/${method.name}`,
    requestStream: method.requestStream === true,
    responseStream: method.responseStream === true,
    requestSerialize: serializer(request),
    requestDeserialize: (bytes) => decodeMessage(request, bytes),
    responseSerialize: serializer(response),
    responseDeserialize: (bytes) => decodeMessage(response, bytes),
    originalName: method.name.charAt(0).toLowerCase() + method.name.slice(1),
  };
}

function serializer(type: Type): (message: unknown) => Buffer {
  return (message) =>
    message instanceof Uint8Array
      ? Buffer.from(message.buffer, message.byteOffset, message.byteLength)
      : encodeMessage(type, message);
}
