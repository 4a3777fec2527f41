import { createServer, type Server, type Socket } from 'node:net';
import { fault } from '../base/faults/fault.js';
import { type Log, silentLog } from '../telemetry/log.js';
import { grpcServer } from './grpc-server.js';
import { peerOfConnection } from './peer-credentials.js';
import type { Service } from './service.js';
import { clearSocketPath } from './socket-path.js';
import { tally } from './tally.js';

export interface UnixServerOptions {
  /** Absolute or relative; at most 107 bytes. */
  readonly path: string;
  /** Of the socket: 0o777 for one that every local process may call, 0o600 for one of our own user. */
  readonly mode: number;
  readonly services: readonly Service[];
  readonly log?: Log;
  /** How many connections the processes of one user may have at a time (S30): 2000. */
  readonly maxConnectionsPerUser?: number;
}

export interface UnixServer {
  readonly path: string;
  /** Takes no new connection, lets running calls end for `graceMs` (0), then breaks off; the socket is removed. */
  close(graceMs?: number): Promise<void>;
}

/**
 * Serves gRPC on a unix socket. Each call's peer is a `UnixPeer` from the kernel; a connection whose peer the kernel does not
 * show (pid 0: another PID namespace), or whose user has too many already, is closed at once. Throws TRN0104 to TRN0107 for the path, TRN0108 when it cannot be bound.
 */
export async function serveUnix(options: UnixServerOptions): Promise<UnixServer> {
  const { path, mode, services, log = silentLog, maxConnectionsPerUser = 2_000 } = options;
  const grpc = grpcServer(services, log);
  const admit = admission(maxConnectionsPerUser);
  const listener = createServer((connection) => {
    try {
      const peer = peerOfConnection(connection);
      admit(connection, peer.uid);
      grpc.serve(connection, peer);
    } catch (error) {
      log.warn({ error, path }, 'a connection was refused');
      connection.destroy();
    }
  });
  await clearSocketPath(path);
  await listen(listener, path, mode);
  return {
    path,
    close: async (graceMs = 0) => {
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
      await grpc.close(graceMs);
      await closed;
    },
  };
}

/** Keeps the processes of one user from taking every file that this process may have open. Throws TRN0110. */
function admission(limit: number): (connection: Socket, uid: number) => void {
  const open = tally<number>();
  return (connection, uid) => {
    if (open.of(uid) >= limit) throw fault('TRN0110', { uid, limit });
    connection.once('close', open.add(uid));
  };
}

/** The mode comes from the umask, so that the socket never exists, not for a moment, with a wider one. */
function listen(listener: Server, path: string, mode: number): Promise<void> {
  return new Promise((resolve, reject) => {
    listener.once('error', (cause: NodeJS.ErrnoException) =>
      reject(fault('TRN0108', { path, reason: cause.code ?? cause.message }, { cause })),
    );
    listener.once('listening', () => {
      listener.removeAllListeners('error');
      resolve();
    });
    const before = process.umask(0o777 & ~mode);
    try {
      listener.listen(path);
    } finally {
      process.umask(before);
    }
  });
}
