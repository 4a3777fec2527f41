import type { Metadata, ServiceDefinition } from '@grpc/grpc-js';
import type { ServiceOf } from '../wire/names.js';
import { serviceDefinition } from '../wire/services.js';
import type { Peer } from './peer.js';

/** One call as a handler sees it. */
export interface Call {
  /** Who is at the other end of the connection, as the kernel or the TLS handshake says. */
  readonly peer: Peer;
  /** The request's headers. */
  readonly metadata: Metadata;
  /** Aborted as soon as nobody waits for an answer any more: cancelled, disconnected, past its deadline, or answered. */
  readonly signal: AbortSignal;
}

/** A call whose requests or responses (or both) are a stream. */
export interface StreamCall<Request, Response> extends Call {
  /** The requests in order, until the client closes its half; it just ends when the call is cancelled. Iterated once. */
  readonly requests: AsyncIterable<Request>;
  /**
   * Sends one response: a message, or its bytes as they are. Resolves when the connection has room for another one, and also
   * when the call has ended; it never rejects for a client that went away.
   */
  send(response: Response | Uint8Array): Promise<void>;
}

/**
 * How a method is answered. Whatever a handler throws ends the call: a Fault with its own status, anything else as INTERNAL
 * without its text. A stream ends when its handler's promise resolves. Bytes in place of a message are sent as they are.
 */
export interface UnaryHandler<Request, Response> {
  unary(request: Request, call: Call): Promise<Response | Uint8Array>;
}
export interface StreamHandler<Request, Response> {
  stream(call: StreamCall<Request, Response>): Promise<void>;
}

type HandlerOf<Method> = Method extends {
  requestDeserialize(bytes: Buffer): infer Request;
  responseSerialize(message: infer Response): Buffer;
}
  ? UnaryHandler<Request, Response> | StreamHandler<Request, Response>
  : never;

/** A handler for some methods of a service; the other methods are UNIMPLEMENTED. */
export type Handlers<Definition> = { readonly [Method in keyof Definition]?: HandlerOf<Definition[Method]> };

/** One method, ready to be served: bytes in, bytes out. */
export interface ServedMethod {
  readonly path: string;
  readonly decode: (bytes: Buffer) => unknown;
  readonly encode: (message: unknown) => Buffer;
  // Methods, whose parameters TypeScript compares both ways: the types were checked by `service`.
  readonly handler: UnaryHandler<unknown, unknown> | StreamHandler<unknown, unknown>;
}

/** A service with the handlers of its methods, to be served on any transport. */
export interface Service {
  readonly methods: readonly ServedMethod[];
}

/**
 * A service by its full name, as in `spire.api.server.agent.v1.Agent`, with handlers by method name:
 *
 *     service('spire.api.server.agent.v1.Agent', {
 *       RenewAgent: { unary: async (request, call) => ({ svid: … }) },
 *       AttestAgent: { stream: async (call) => { for await (const request of call.requests) await call.send(…) } },
 *     })
 */
export function service<Name extends string>(name: Name, handlers: Handlers<ServiceOf<Name>>): Service {
  const definition = serviceDefinition(name) as ServiceDefinition;
  const methods = Object.entries(handlers as Record<string, ServedMethod['handler']>).map(
    ([method, handler]): ServedMethod => {
      const known = definition[method];
      if (!known) throw new Error(`${name} has no method ${method}`);
      if ('unary' in handler === (known.requestStream || known.responseStream)) {
        throw new Error(`the handler of ${name}.${method} does not fit its streams`);
      }
      const { path, requestDeserialize: decode, responseSerialize: encode } = known;
      return { path, decode, encode, handler };
    },
  );
  return { methods };
}

/** The full names of these services, each once. */
export function namesOf(services: readonly Service[]): string[] {
  const names = services.flatMap(({ methods }) => methods.map(({ path }) => path.split('/')[1] ?? ''));
  return [...new Set(names)];
}
