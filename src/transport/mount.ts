import type {
  handleBidiStreamingCall,
  handleUnaryCall,
  Server,
  ServerDuplexStream,
  ServerUnaryCall,
} from '@grpc/grpc-js';
import type { Log } from '../telemetry/log.js';
import type { Peer } from './peer.js';
import type { Call, ServedMethod, Service, StreamHandler, UnaryHandler } from './service.js';
import { statusOfError } from './status.js';

/** Finds the peer of a call by the connection that it came in on. */
export type PeerOf = (call: AnyCall) => Peer;

/** Puts services on a gRPC server. Messages cross it as bytes; decoding and encoding happen here, so that they can be refused well. */
export function mount(server: Server, services: readonly Service[], peerOf: PeerOf, log: Log): void {
  for (const { methods } of services) {
    for (const method of methods) {
      const callLog = log.child({ method: method.path });
      if ('unary' in method.handler) {
        server.register(method.path, unary(method, method.handler, peerOf, callLog), asIs, asIs, 'unary');
      } else {
        // On the wire a stream in one direction is a special case of streams in both.
        server.register(method.path, stream(method, method.handler, peerOf, callLog), asIs, asIs, 'bidi');
      }
    }
  }
}

type AnyCall = ServerUnaryCall<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>;

const asIs = (bytes: Buffer): Buffer => bytes;

function unary(
  { decode, encode }: ServedMethod,
  handler: UnaryHandler<unknown, unknown>,
  peerOf: PeerOf,
  log: Log,
): handleUnaryCall<Buffer, Buffer> {
  const answer = async (call: ServerUnaryCall<Buffer, Buffer>): Promise<Buffer> => {
    const { context, end } = contextOf(call, peerOf);
    try {
      return encode(await handler.unary(decode(call.request), context));
    } finally {
      end();
    }
  };
  return (call, callback) => {
    answer(call).then(
      (response) => callback(null, response),
      (error: unknown) => callback(statusOfError(error, log)),
    );
  };
}

function stream(
  { decode, encode }: ServedMethod,
  handler: StreamHandler<unknown, unknown>,
  peerOf: PeerOf,
  log: Log,
): handleBidiStreamingCall<Buffer, Buffer> {
  const run = async (call: ServerDuplexStream<Buffer, Buffer>): Promise<void> => {
    const { context, end } = contextOf(call, peerOf);
    const send = sender(call, context.signal);
    const requests = requestsOf(call, decode, context.signal);
    try {
      await handler.stream({ ...context, requests, send: (response) => send(encode(response)) });
    } finally {
      end();
    }
  };
  return (call) => {
    run(call).then(
      () => call.end(),
      // Emitting the error is how grpc-js is told the status of a stream.
      (error: unknown) => call.cancelled || call.emit('error', statusOfError(error, log)),
    );
  };
}

function contextOf(call: AnyCall, peerOf: PeerOf): { context: Call; end: () => void } {
  let controller: AbortController | undefined;
  let isOver = false;
  const end = () => {
    isOver = true;
    controller?.abort();
  };
  call.once('cancelled', end);
  const context = {
    peer: peerOf(call),
    metadata: call.metadata,
    // Made when somebody asks: it costs as much as the rest of a short call, and few handlers look at it.
    get signal() {
      controller ??= new AbortController();
      if (isOver) controller.abort();
      return controller.signal;
    },
  };
  return { context, end };
}

async function* requestsOf(
  call: ServerDuplexStream<Buffer, Buffer>,
  decode: ServedMethod['decode'],
  signal: AbortSignal,
): AsyncGenerator<unknown> {
  try {
    // A handler may stop reading and go on writing.
    for await (const bytes of call.iterator({ destroyOnReturn: false })) yield decode(bytes);
  } catch (error) {
    if (!signal.aborted && !call.destroyed) throw error;
  }
}

/** grpc-js never calls a write's callback once the call has ended, so whoever waits then is let go here. */
function sender(call: ServerDuplexStream<Buffer, Buffer>, signal: AbortSignal) {
  const waiting = new Set<() => void>();
  signal.addEventListener('abort', () => {
    for (const resolve of waiting) resolve();
  });
  return (bytes: Buffer): Promise<void> => {
    if (signal.aborted || call.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      waiting.add(resolve);
      call.write(bytes, () => {
        waiting.delete(resolve);
        resolve();
      });
    });
  };
}
