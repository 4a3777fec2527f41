import {
  type ChannelCredentials,
  type ChannelOptions,
  Client,
  connectivityState,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { Fault, fault } from '../base/faults/fault.js';

/** A method of a service definition, as `serviceDefinition` gives it. */
export interface Method<Request, Response> {
  readonly path: string;
  requestSerialize(message: Request): Buffer;
  responseDeserialize(bytes: Buffer): Response;
}

export interface CallOptions {
  /** Milliseconds from now; a unary call has 30 seconds unless it says otherwise, a stream has no end. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
  readonly metadata?: Metadata;
}

/** A connection to one gRPC server; it connects at the first call, and again by itself when it was lost. */
export interface GrpcConnection {
  /**
   * Throws TRN0301 with the server's status (`remoteStatus`; UNAVAILABLE as well when nobody has answered for ten seconds),
   * TRN0302 when the server was refused by us.
   */
  unary<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options?: CallOptions,
  ): Promise<Response>;
  stream<Request, Response>(
    method: Method<Request, Response>,
    options?: CallOptions,
  ): ClientStream<Request, Response>;
  /** Breaks running calls off. */
  close(): void;
}

export interface ClientStream<Request, Response> {
  /**
   * In order, until the server ends the stream with OK; throws as `unary` does for any other end. Iterated once; who stops
   * iterating cancels the call.
   */
  readonly responses: AsyncIterable<Response>;
  send(request: Request | Uint8Array): void;
  /** No more requests. */
  end(): void;
  cancel(): void;
}

/** The gRPC status (`UNAVAILABLE`, `DEADLINE_EXCEEDED`, …) that a failed call ended with, of a fault thrown by a connection. */
export function remoteStatus(error: unknown): string | undefined {
  if (!(error instanceof Fault) || error.code !== 'TRN0301') return undefined;
  return statusNameOf(error.cause as ServiceError);
}

/** What a kind of connection (unix, TLS) puts behind the calls. */
export interface Dialer {
  /** `host:port` or `unix:path`. */
  readonly target: string;
  /** For messages. */
  readonly address: string;
  readonly options?: ChannelOptions;
  credentials(): ChannelCredentials;
  /** Why we refused the server when we last tried to connect, if we did. */
  refusal?(): Fault | undefined;
  /** Calls back when new calls should go over a new connection. Returns how to stop that. */
  onRenew?(renew: () => void): () => void;
  /** Milliseconds that a call waits for a connection; ten seconds unless it says otherwise. */
  readonly connectTimeoutMs?: number;
}

export function connectionOver(dialer: Dialer): GrpcConnection {
  const links = new Set<Link>();
  const open = () => {
    const opened = openLink(dialer, () => opened === link && renew());
    links.add(opened);
    return opened;
  };
  const renew = () => {
    const old = link;
    link = open();
    // Calls that are running keep the connection that they run on.
    old.retire(() => links.delete(old));
  };
  let link: Link = open();
  const stopRenewing = dialer.onRenew?.(renew);
  return {
    unary: (method, request, options) => unary(link, dialer, method, request, options),
    stream: (method, options) => stream(link, dialer, method, options),
    close: () => {
      stopRenewing?.();
      for (const { client, calls } of links) {
        for (const call of calls) call.cancel();
        client.close();
      }
    },
  };
}

interface Cancellable {
  cancel(): void;
}

interface Link {
  readonly client: Client;
  readonly calls: Set<Cancellable>;
  /** From then on the call is broken off when it gets no connection in time. */
  started(call: Cancellable): void;
  /** Whether that is why the call ended. */
  gaveUp(call: Cancellable): boolean;
  ended(call: Cancellable): void;
  retire(retired: () => void): void;
}

/** The servers that we call are ones that we verified; a whole node's policies may come in one message. */
const maxResponseBytes = 64 * 1024 * 1024;

const defaultConnectTimeoutMs = 10_000;

/** `stuck` hears of a call that got no connection in time: the kernel would try the same one for two minutes. */
function openLink(dialer: Dialer, stuck: () => void): Link {
  const client = new Client(dialer.target, dialer.credentials(), {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_channelz': 0,
    'grpc.enable_http_proxy': 0,
    'grpc.service_config_disable_resolution': 1,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.min_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 5_000,
    'grpc.max_receive_message_length': maxResponseBytes,
    'grpc.max_send_message_length': -1,
    ...dialer.options,
  });
  const calls = new Set<Cancellable>();
  const timers = new Map<Cancellable, NodeJS.Timeout>();
  const given = new WeakSet<Cancellable>();
  const isConnected = () => client.getChannel().getConnectivityState(false) === connectivityState.READY;
  const giveUp = (call: Cancellable) => {
    timers.delete(call);
    if (isConnected()) return;
    given.add(call);
    call.cancel();
    stuck();
  };
  let onIdle: (() => void) | undefined;
  const closeIfIdle = () => {
    if (!onIdle || calls.size > 0) return;
    client.close();
    onIdle();
  };
  return {
    client,
    calls,
    started: (call) => {
      calls.add(call);
      if (isConnected()) return;
      timers.set(call, setTimeout(giveUp, dialer.connectTimeoutMs ?? defaultConnectTimeoutMs, call));
    },
    gaveUp: (call) => given.has(call),
    ended: (call) => {
      clearTimeout(timers.get(call));
      timers.delete(call);
      calls.delete(call);
      closeIfIdle();
    },
    retire: (retired) => {
      onIdle = retired;
      closeIfIdle();
    },
  };
}

const defaultDeadlineMs = 30_000;

function unary<Request, Response>(
  link: Link,
  dialer: Dialer,
  method: Method<Request, Response>,
  request: Request,
  { deadlineMs = defaultDeadlineMs, signal, metadata = new Metadata() }: CallOptions = {},
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const call = link.client.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      metadata,
      { deadline: Date.now() + deadlineMs },
      (error, response) => {
        link.ended(call);
        signal?.removeEventListener('abort', cancel);
        if (error) reject(failureOf(link.gaveUp(call) ? noConnection(error) : error, method.path, dialer));
        // grpc-js makes a missing message an error.
        else resolve(response as Response);
      },
    );
    const cancel = () => call.cancel();
    link.started(call);
    if (signal?.aborted) cancel();
    else signal?.addEventListener('abort', cancel);
  });
}

function stream<Request, Response>(
  link: Link,
  dialer: Dialer,
  method: Method<Request, Response>,
  { deadlineMs, signal, metadata = new Metadata() }: CallOptions = {},
): ClientStream<Request, Response> {
  const call = link.client.makeBidiStreamRequest(
    method.path,
    (request: Request | Uint8Array) =>
      request instanceof Uint8Array ? Buffer.from(request) : method.requestSerialize(request),
    method.responseDeserialize,
    metadata,
    deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs },
  );
  const cancel = () => call.cancel();
  link.started(call);
  call.once('status', () => {
    link.ended(call);
    signal?.removeEventListener('abort', cancel);
  });
  // Whoever iterates gets the error; without a listener it would end the process.
  call.on('error', () => {});
  if (signal?.aborted) cancel();
  else signal?.addEventListener('abort', cancel);
  return {
    responses: responsesOf(link, call, method.path, dialer),
    send: (request) => void call.write(request),
    end: () => call.end(),
    cancel,
  };
}

async function* responsesOf<Response>(
  link: Link,
  call: AsyncIterable<Response> & Cancellable,
  path: string,
  dialer: Dialer,
): AsyncGenerator<Response> {
  try {
    yield* call;
  } catch (error) {
    const failure = error as ServiceError;
    throw failureOf(link.gaveUp(call) ? noConnection(failure) : failure, path, dialer);
  } finally {
    // Whoever stops reading has no more use for the call; once it has ended this does nothing.
    call.cancel();
  }
}

/** A call that we broke off ends as cancelled; what it means is that nobody was there. */
function noConnection(error: ServiceError): ServiceError {
  return Object.assign(error, { code: status.UNAVAILABLE, details: 'no connection in time' });
}

function failureOf(error: ServiceError, method: string, dialer: Dialer): Fault {
  const refusal = error.code === status.UNAVAILABLE ? dialer.refusal?.() : undefined;
  if (refusal) {
    return fault('TRN0302', { address: dialer.address, problem: refusal.message }, { cause: refusal });
  }
  const { address } = dialer;
  return fault(
    'TRN0301',
    { method, address, status: statusNameOf(error), text: error.details },
    { cause: error },
  );
}

function statusNameOf(error: ServiceError): string {
  return status[error.code] ?? 'UNKNOWN';
}
