import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { fault } from '../base/faults/fault.js';
import type { SvidSource } from '../spiffe/source.js';
import { type Log, silentLog } from '../telemetry/log.js';
import { grpcServer } from './grpc-server.js';
import type { Service } from './service.js';
import { presentedChain } from './tls-chain.js';
import { tlsContextOptions } from './tls-context.js';

export interface TlsServerOptions {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Our own SVID; a new one is used for the handshakes that follow. */
  readonly identity: SvidSource;
  readonly services: readonly Service[];
  readonly log?: Log;
  /** Milliseconds after which a connection is asked to make way for a new one (S18), give or take a tenth. 30 minutes. */
  readonly maxConnectionAgeMs?: number;
}

export interface TlsServer {
  readonly host: string;
  readonly port: number;
  /** Takes no new connection, lets running calls end for `graceMs` (0), then breaks off. */
  close(graceMs?: number): Promise<void>;
}

const minute = 60_000;

/**
 * Serves gRPC over TLS. Every client is asked for a certificate and none is turned away here: a call's peer is a `TlsPeer`
 * with what was presented, and the handlers' `verifyPeer` decides, on every call. Throws TRN0109 when the address cannot be
 * bound.
 */
export async function serveTls(options: TlsServerOptions): Promise<TlsServer> {
  const { identity, services, log = silentLog, maxConnectionAgeMs = 30 * minute } = options;
  const grpc = grpcServer(services, log, {
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
    'grpc.max_connection_age_ms': maxConnectionAgeMs,
    'grpc.max_connection_age_grace_ms': minute,
    // An agent has a handful; anybody can connect, and each call can hold 4 MiB of a request that never ends.
    'grpc.max_concurrent_streams': 100,
  });
  const listener = createServer({
    ...tlsContextOptions(identity.current()),
    ALPNProtocols: ['h2'],
    requestCert: true,
    rejectUnauthorized: false,
    handshakeTimeout: 10_000,
  });
  const accepted = new Set<Socket>();
  listener.on('connection', (socket: Socket) => {
    accepted.add(socket);
    socket.once('close', () => accepted.delete(socket));
  });
  listener.on('secureConnection', (connection) => accept(connection, grpc.serve, log));
  listener.on('tlsClientError', (error) => log.debug({ error }, 'a TLS handshake failed'));
  const stopFollowing = identity.onChange(() =>
    listener.setSecureContext(tlsContextOptions(identity.current())),
  );
  const { host, port } = await listen(listener, options);
  return {
    host,
    port,
    close: async (graceMs = 0) => {
      stopFollowing();
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
      await grpc.close(graceMs);
      // What is left was still shaking hands.
      for (const socket of accepted) socket.destroy();
      await closed;
    },
  };
}

function accept(connection: TLSSocket, serve: ReturnType<typeof grpcServer>['serve'], log: Log): void {
  const address = `${connection.remoteAddress}:${connection.remotePort}`;
  if (connection.alpnProtocol !== 'h2' || connection.isSessionReused()) {
    log.info({ address }, 'a connection without HTTP/2, or with a resumed session, was refused');
    connection.destroy();
    return;
  }
  serve(connection, { kind: 'tls', presented: presentedChain(connection), address });
}

function listen(
  listener: Server,
  { host, port }: { host: string; port: number },
): Promise<{ host: string; port: number }> {
  return new Promise((resolve, reject) => {
    listener.once('error', (cause: NodeJS.ErrnoException) =>
      reject(
        fault('TRN0109', { address: `${host}:${port}`, reason: cause.code ?? cause.message }, { cause }),
      ),
    );
    listener.listen({ host, port }, () => {
      listener.removeAllListeners('error');
      const bound = listener.address();
      if (bound === null || typeof bound === 'string') throw new Error('a TCP listener without an address');
      resolve({ host: bound.address, port: bound.port });
    });
  });
}
