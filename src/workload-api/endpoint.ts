import { isIP } from 'node:net';
import { fault } from '../base/faults/fault.js';
import { dialPlain } from '../transport/dial-plain.js';
import { dialUnix } from '../transport/dial-unix.js';
import type { GrpcConnection } from '../transport/grpc-client.js';

/** Where a Workload API is. */
export type Endpoint =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

/**
 * The Workload API that a program was told to use: by `address`, else by the variable SPIFFE_ENDPOINT_SOCKET (Workload Endpoint
 * §4). Throws WLA0501 and WLA0502.
 */
export function configuredEndpoint(
  address: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Endpoint {
  const text = address ?? env.SPIFFE_ENDPOINT_SOCKET;
  if (text === undefined || text === '') throw fault('WLA0502', {});
  return parseEndpoint(text);
}

/** Reads an address as Workload Endpoint §4 has it, and nothing beside it. Throws WLA0501. */
export function parseEndpoint(address: string): Endpoint {
  if (address.startsWith('unix:')) return unixEndpoint(address);
  if (address.startsWith('tcp:')) return tcpEndpoint(address);
  throw wrong(address, 'it starts with neither `unix:` nor `tcp:`');
}

/** Connects at the first call. The endpoint has no TLS; who we are its agent finds out by itself. */
export function dialEndpoint(endpoint: Endpoint): GrpcConnection {
  return endpoint.kind === 'unix' ? dialUnix(endpoint.path) : dialPlain(endpoint.host, endpoint.port);
}

function unixEndpoint(address: string): Endpoint {
  const [, path] = /^unix:(?:\/\/)?(\/(?!\/)[^?#]+)$/.exec(address) ?? [];
  if (path === undefined) throw wrong(address, 'after `unix://` there is an absolute path and nothing else');
  return { kind: 'unix', path };
}

function tcpEndpoint(address: string): Endpoint {
  const [, host = '', digits = ''] = /^tcp:\/\/([\d.]+|\[[\da-f:.]+\]):(\d{1,5})$/i.exec(address) ?? [];
  const port = Number(digits);
  if (isIP(host.replace(/^\[|\]$/g, '')) === 0 || port < 1 || port > 65_535) {
    throw wrong(address, 'after `tcp://` there is an IP address, a colon, a port and nothing else');
  }
  return { kind: 'tcp', host, port };
}

const wrong = (address: string, problem: string) => fault('WLA0501', { address, problem });
