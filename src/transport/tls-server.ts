import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { ServerOptions } from '@grpc/grpc-js';
import { fault } from '../base/faults/fault.js';
import type { SvidSource } from '../spiffe/source.js';
import { type Log, silentLog } from '../telemetry/log.js';
import { type GrpcServer, grpcServer } from './grpc-server.js';
import { networkOf } from './network.js';
import type { TlsPeer } from './peer.js';
import type { Service } from './service.js';
import { type StrangerLimits, strangerLimit } from './stranger-limit.js';
import { presentedChain } from './tls-chain.js';
import { tlsContextOptions } from './tls-context.js';

export interface TlsServerOptions {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Our own SVID; a new one is used for the handshakes that follow. */
  readonly identity: SvidSource;
  readonly services: readonly Service[];
  /**
   * Whether a client that has just connected is one of ours, by what it presented. It decides how much the connection may
   * cost and nothing else. Without it nobody is.
   */
  readonly isKnown?: (peer: TlsPeer) => boolean;
  /** 500 connections from one address, 1,000 in all. */
  readonly strangers?: StrangerLimits;
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

/** Of every connection. */
const keepalive: ServerOptions = {
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.max_connection_age_grace_ms': minute,
};

/** For a client that is known: an agent has a handful of calls, each of which may hold 4 MiB of a request that never ends. */
const knownBudget: ServerOptions = { 'grpc.max_concurrent_streams': 100 };

/** Anybody can be a stranger, and all that there is for one is to attest and to fetch the trust bundle. */
const strangerBudget: ServerOptions = {
  'grpc.max_concurrent_streams': 4,
  'grpc.max_receive_message_length': 64 * 1024,
  // In MiB, of one connection: what is sent faster than it is read.
  'grpc-node.max_session_memory': 1,
  'grpc.max_connection_idle_ms': 10_000,
  'grpc.max_connection_age_grace_ms': 10_000,
};

/**
 * Serves gRPC over TLS. Every client is asked for a certificate and none is turned away for it here: a call's peer is a
 * `TlsPeer` with what was presented, and the handlers' `verifyPeer` decides, on every call. A connection of somebody who is
 * not known may cost little, and there are only so many of them (S11). Throws TRN0109 when the address cannot be bound.
 */
export async function serveTls(options: TlsServerOptions): Promise<TlsServer> {
  const { identity, services, isKnown = () => false, log = silentLog } = options;
  const { strangers = { perNetwork: 500, total: 1_000 }, maxConnectionAgeMs = 30 * minute } = options;
  const age = (ms: number) => ({ 'grpc.max_connection_age_ms': Math.min(ms, maxConnectionAgeMs) });
  const known = grpcServer(services, log, { ...keepalive, ...age(Infinity), ...knownBudget });
  const unknown = grpcServer(services, log, { ...keepalive, ...age(minute), ...strangerBudget });
  const listener = createServer({
    ...tlsContextOptions(identity.current()),
    ALPNProtocols: ['h2'],
    requestCert: true,
    rejectUnauthorized: false,
    handshakeTimeout: 10_000,
  });
  const accepted = countStrangers(listener, strangers, log);
  listener.on('secureConnection', (connection) => {
    const peer = acceptedPeer(connection, log);
    if (!peer) return;
    const ours = isKnown(peer);
    if (ours) accepted.becomesKnown(connection);
    (ours ? known : unknown).serve(connection, peer);
  });
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
      await Promise.all([known, unknown].map((grpc: GrpcServer) => grpc.close(graceMs)));
      // What is left was still shaking hands.
      accepted.destroyAll();
      await closed;
    },
  };
}

/** Turns away, before its handshake, who comes when there are strangers enough. */
function countStrangers(listener: Server, limits: StrangerLimits, log: Log) {
  const limit = strangerLimit(limits);
  const accepted = new Set<Socket>();
  const releases = new Map<string, () => void>();
  listener.on('connection', (socket: Socket) => {
    try {
      const key = addressOf(socket);
      const release = limit.admit(networkOf(socket.remoteAddress ?? ''));
      releases.set(key, release);
      accepted.add(socket);
      socket.once('close', () => {
        accepted.delete(socket);
        releases.delete(key);
        release();
      });
    } catch (error) {
      log.debug({ error }, 'a connection was refused');
      socket.destroy();
    }
  });
  return {
    becomesKnown: (connection: TLSSocket) => releases.get(addressOf(connection))?.(),
    destroyAll: () => {
      for (const socket of accepted) socket.destroy();
    },
  };
}

const addressOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress}:${remotePort}`;

function acceptedPeer(connection: TLSSocket, log: Log): TlsPeer | undefined {
  const address = addressOf(connection);
  if (connection.alpnProtocol !== 'h2' || connection.isSessionReused()) {
    log.info({ address }, 'a connection without HTTP/2, or with a resumed session, was refused');
    connection.destroy();
    return undefined;
  }
  return { kind: 'tls', presented: presentedChain(connection), address };
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
