import { status } from '@grpc/grpc-js';
import type { Descriptors } from '../wire/descriptors.js';
import type { MessageIn, MessageOut } from '../wire/names.js';
import { namesOf, type Service, type StreamCall, service } from './service.js';

type Request = MessageOut<'grpc.reflection.v1.ServerReflectionRequest'>;
type Response = MessageIn<'grpc.reflection.v1.ServerReflectionResponse'>;

const [current, alpha] = [
  'grpc.reflection.v1.ServerReflection',
  'grpc.reflection.v1alpha.ServerReflection',
] as const;

/**
 * gRPC's server reflection, in the version that is current and in the one before, whose messages are the same: what is served
 * here, and how to speak to it. It says nothing about anybody, so every caller may ask.
 */
export function reflectionServices(services: readonly Service[]): Service[] {
  const names = [...namesOf(services), current, alpha].sort();
  let made: Promise<Descriptors> | undefined;
  const descriptors = () => {
    made ??= import('../wire/descriptors.js').then(({ descriptorsOf }) => descriptorsOf(names));
    return made;
  };
  const handler = {
    async stream({ requests, send }: StreamCall<Request, Response>) {
      for await (const request of requests) {
        await send({
          valid_host: request.host ?? '',
          original_request: request,
          ...(await answerTo(request, names, descriptors)),
        });
      }
    },
  };
  return [
    service(current, { ServerReflectionInfo: handler }),
    service(alpha, { ServerReflectionInfo: handler }),
  ];
}

async function answerTo(
  request: Request,
  names: readonly string[],
  descriptors: () => Promise<Descriptors>,
): Promise<Response> {
  const { file_by_filename, file_containing_symbol, file_containing_extension } = request;
  const { list_services, all_extension_numbers_of_type } = request;
  if (list_services !== undefined) {
    return { list_services_response: { service: names.map((name) => ({ name })) } };
  }
  if (file_by_filename !== undefined) {
    return files((await descriptors()).byPath(file_by_filename), file_by_filename);
  }
  if (file_containing_symbol !== undefined) {
    return files((await descriptors()).bySymbol(file_containing_symbol), file_containing_symbol);
  }
  if (all_extension_numbers_of_type !== undefined) {
    // Nothing that is served here has extensions.
    if (!(await descriptors()).bySymbol(all_extension_numbers_of_type))
      return notFound(all_extension_numbers_of_type);
    return { all_extension_numbers_response: { base_type_name: all_extension_numbers_of_type } };
  }
  if (file_containing_extension) return notFound(file_containing_extension.containing_type ?? '');
  return error(status.INVALID_ARGUMENT, 'the request asks for nothing');
}

function files(found: readonly Buffer[] | undefined, asked: string): Response {
  return found ? { file_descriptor_response: { file_descriptor_proto: [...found] } } : notFound(asked);
}

const notFound = (asked: string) => error(status.NOT_FOUND, `nothing here is called ${asked}`);

function error(error_code: number, error_message: string): Response {
  return { error_response: { error_code, error_message } };
}
