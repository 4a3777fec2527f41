import { credentials } from '@grpc/grpc-js';
import { connectionOver, type GrpcConnection } from './grpc-client.js';

/** A gRPC connection without TLS, for a Workload API on a link of this machine. IPv6 addresses stand in brackets. */
export function dialPlain(host: string, port: number): GrpcConnection {
  const address = `${host}:${port}`;
  return connectionOver({ target: address, address, credentials: () => credentials.createInsecure() });
}
