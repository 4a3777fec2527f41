import { isIP, type Socket } from 'node:net';
import { connect, createSecureContext, type TLSSocket } from 'node:tls';
import { CallCredentials, ChannelCredentials } from '@grpc/grpc-js';
import { Fault, fault } from '../base/faults/fault.js';
import type { SvidSource } from '../spiffe/source.js';
import { connectionOver, type GrpcConnection } from './grpc-client.js';
import { presentedChain } from './tls-chain.js';
import { tlsContextOptions } from './tls-context.js';

export interface TlsDialOptions {
  /** `host:port`, IPv6 in brackets. */
  readonly address: string;
  /** Our own SVID, if the server is to know us; after a change new calls go over a new connection. */
  readonly svid?: SvidSource;
  /** Judges what the server presented (DER, the leaf first), whatever it was signed by. Throws a Fault to refuse it. */
  readonly verifyServer: (chain: readonly Uint8Array[]) => void;
  /** Milliseconds that a call waits for a connection; ten seconds unless it says otherwise. */
  readonly connectTimeoutMs?: number;
}

/**
 * A gRPC connection over TLS 1.2 or later. The server's certificate is judged by `verifyServer` alone, on every handshake;
 * sessions are never resumed. Not one byte of a call is sent to a server that was refused.
 */
export function dialTls(options: TlsDialOptions): GrpcConnection {
  const { address, svid, verifyServer, connectTimeoutMs } = options;
  let refusal: Fault | undefined;
  const secure = (socket: Socket) => handshake(socket, address, svid);
  const judge = (chain: readonly Uint8Array[]) => {
    refusal = undefined;
    try {
      verifyServer(chain);
    } catch (error) {
      refusal = error instanceof Fault ? error : undefined;
      throw error;
    }
  };
  return connectionOver({
    target: address,
    address,
    credentials: () => new VerifyingCredentials(secure, judge),
    refusal: () => refusal,
    // Only while calls are running, which every server allows.
    options: { 'grpc.keepalive_time_ms': 30_000, 'grpc.keepalive_timeout_ms': 10_000 },
    ...(svid && { onRenew: (renew) => svid.onChange(renew) }),
    ...(connectTimeoutMs !== undefined && { connectTimeoutMs }),
  });
}

type SecureConnector = ReturnType<ChannelCredentials['_createSecureConnector']>;

/** grpc-js's own TLS credentials verify by OpenSSL's rules or not at all; these leave the decision to us. */
class VerifyingCredentials extends ChannelCredentials {
  readonly #secure: (socket: Socket) => Promise<TLSSocket>;
  readonly #judge: (chain: readonly Uint8Array[]) => void;

  constructor(secure: (socket: Socket) => Promise<TLSSocket>, judge: (chain: readonly Uint8Array[]) => void) {
    super();
    this.#secure = secure;
    this.#judge = judge;
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(): SecureConnector {
    const noCallCredentials = CallCredentials.createEmpty();
    return {
      connect: async (socket) => {
        const secured = await this.#secure(socket);
        try {
          this.#judge(presentedChain(secured));
        } catch (error) {
          secured.destroy();
          throw error;
        }
        return { socket: secured, secure: true };
      },
      waitForReady: () => Promise.resolve(),
      getCallCredentials: () => noCallCredentials,
      destroy: () => {},
    };
  }
}

function handshake(socket: Socket, address: string, svid: SvidSource | undefined): Promise<TLSSocket> {
  const host = address.replace(/:\d+$/, '');
  return new Promise((resolve, reject) => {
    const secured = connect({
      socket,
      secureContext: createSecureContext(tlsContextOptions(svid?.current())),
      ALPNProtocols: ['h2'],
      rejectUnauthorized: false,
      servername: isIP(host) || host.startsWith('[') ? '' : host,
    });
    secured.once('error', reject);
    secured.once('close', () => reject(fault('TRN0303', { address })));
    secured.once('secureConnect', () => {
      secured.removeListener('error', reject);
      if (secured.alpnProtocol === 'h2' && !secured.isSessionReused()) resolve(secured);
      else {
        secured.destroy();
        reject(fault('TRN0303', { address }));
      }
    });
  });
}
