import type { Duplex } from 'node:stream';
import {
  type ConnectionInjector,
  logVerbosity,
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerOptions,
  setLogVerbosity,
} from '@grpc/grpc-js';
import { fault } from '../base/faults/fault.js';
import type { Log } from '../telemetry/log.js';
import { mount } from './mount.js';
import type { Peer } from './peer.js';
import type { Service } from './service.js';

/** gRPC on connections that somebody else accepted, so that each call is known to come from that connection's peer. */
export interface GrpcServer {
  /** Serves a connection. The peer is forgotten when the connection closes. */
  serve(connection: Duplex, peer: Peer): void;
  /** Lets running calls end for `graceMs`, then breaks every connection off. */
  close(graceMs: number): Promise<void>;
}

type AuthContext = ReturnType<ServerInterceptingCall['getAuthContext']>;

/** The most that a request may hold (S34). Responses are our own and have no limit. */
const maxRequestBytes = 4 * 1024 * 1024;

export function grpcServer(services: readonly Service[], log: Log, options: ServerOptions = {}): GrpcServer {
  // What grpc-js has to say it writes to standard error as it is, with what callers put into their headers.
  if (process.env.GRPC_VERBOSITY === undefined) setLogVerbosity(logVerbosity.NONE);
  const connections = new Map<number, { peer: Peer; connection: Duplex }>();
  const peers = new WeakMap<AuthContext, Peer>();
  const server = new Server({
    'grpc.enable_channelz': 0,
    'grpc.max_receive_message_length': maxRequestBytes,
    'grpc.max_send_message_length': -1,
    // Of one connection; Envoy has one for every secret and filter.
    'grpc.max_concurrent_streams': 1_000,
    // Node's own limit would break streams off when many of them are written to at once.
    'grpc-node.max_session_memory': Number.MAX_SAFE_INTEGER,
    ...options,
    interceptors: [
      (_method, call) => {
        const context: AuthContext = {};
        const known = connections.get(call.getConnectionInfo().remotePort ?? 0);
        if (known) peers.set(context, known.peer);
        return new CallWithContext(call, context);
      },
    ],
  });
  const peerOf = (call: { getAuthContext(): AuthContext }): Peer => {
    const peer = peers.get(call.getAuthContext());
    // Its connection broke before the call got here.
    if (!peer) throw fault('TRN0111', {});
    return peer;
  };
  mount(server, services, peerOf, log);
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());

  let lastId = 0;
  return {
    serve: (connection, peer) => {
      const id = ++lastId;
      connections.set(id, { peer, connection });
      connection.once('close', () => connections.delete(id));
      // An error is always followed by the close.
      connection.on('error', (error) => log.debug({ error }, 'a connection broke'));
      // The one thing of a connection that a call can be asked for.
      Object.defineProperty(connection, 'remotePort', { value: id });
      injector.injectConnection(connection);
    },
    close: (graceMs) => closeAll(server, injector, connections, graceMs),
  };
}

class CallWithContext extends ServerInterceptingCall {
  readonly #context: AuthContext;

  constructor(call: ServerInterceptingCallInterface, context: AuthContext) {
    super(call);
    this.#context = context;
  }

  override getAuthContext(): AuthContext {
    return this.#context;
  }
}

async function closeAll(
  server: Server,
  injector: ConnectionInjector,
  connections: ReadonlyMap<number, { connection: Duplex }>,
  graceMs: number,
): Promise<void> {
  const open = [...connections.values()].map(({ connection }) => connection);
  const closed = Promise.all(
    open.map((connection) => new Promise<void>((resolve) => connection.once('close', () => resolve()))),
  );
  injector.destroy();
  const timer = setTimeout(() => {
    for (const connection of open) connection.destroy();
  }, graceMs);
  await closed;
  clearTimeout(timer);
  server.forceShutdown();
}
