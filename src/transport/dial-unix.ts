import { credentials } from '@grpc/grpc-js';
import { connectionOver, type GrpcConnection } from './grpc-client.js';

/** A gRPC connection to a unix socket. The server knows who we are from the kernel. */
export function dialUnix(path: string): GrpcConnection {
  return connectionOver({
    target: `unix:${path}`,
    address: path,
    credentials: () => credentials.createInsecure(),
  });
}
