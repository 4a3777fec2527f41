import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import tls from 'node:tls';

/** Where a test client connects: a unix socket, or TLS on 127.0.0.1. */
export type Target = { socketPath: string } | TlsTarget;

export interface TlsTarget {
  port: number;
  /** PEM: the chain with the leaf first, and the key. Left out: no client certificate. */
  identity?: { cert: string; key: string };
  /** A session saved by `sessionOf`, to be resumed. */
  session?: Buffer;
  maxVersion?: 'TLSv1.2' | 'TLSv1.3';
}

export interface Call {
  method?: string;
  /** Sent as it is, never normalised. */
  path?: string;
  headers?: Record<string, string | string[]>;
  body?: string;
}

export interface Reply {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** One connection, kept alive, one request at a time. The request rejects when the connection was refused or cut. */
export interface Client {
  send(call: Call): Promise<Reply>;
  /** Whether the connection is still open. */
  isOpen(): boolean;
  /** Whether the handshake resumed an earlier session. */
  resumed(): boolean;
  /** The server's certificate, DER. */
  certificate(): Buffer | undefined;
  /** The newest TLS session that the server offered for resumption. */
  session(): Buffer | undefined;
  close(): void;
}

/** HTTP/1.1 on a single connection: a second connection is never opened, so a cut one shows. */
export async function http1(target: Target): Promise<Client> {
  const connection = await connect(target, 'http/1.1');
  const agent = new OneSocketAgent(connection.socket);
  return { ...connection.client, send: (call) => sendHttp1(agent, connection.socket, call) };
}

/** HTTP/2 on a single connection. */
export async function http2Client(target: Target): Promise<Client> {
  const { socket, client } = await connect(target, 'h2');
  const session = http2.connect('http://orders', { createConnection: () => socket });
  const failed = new Promise<never>((_, reject) => {
    session.once('error', reject);
    // An end in good order is code 0, and lets the running requests finish.
    session.on(
      'goaway',
      (code) => code !== 0 && reject(new Error(`the connection was ended with code ${code}`)),
    );
  });
  failed.catch(() => undefined);
  return {
    ...client,
    close: () => session.destroy(),
    send: (call) => Promise.race([sendHttp2(session, call), failed]),
  };
}

/**
 * One HTTP/1.1 request on a connection of its own: its status, or `refused` when the server ended the TLS connection in place
 * of an answer. Where nobody listens there is nothing to be learned, so that is an error.
 */
export async function attempt(target: Target, call: Call = {}): Promise<number | 'refused'> {
  let client: Client | undefined;
  try {
    client = await http1(target);
    return (await client.send(call)).status;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'ECONNRESET' || code === 'EPIPE' || code.startsWith('ERR_SSL_')) return 'refused';
    throw error;
  } finally {
    client?.close();
  }
}

/** One HTTP/1.1 request on a connection of its own. */
export async function once1(target: Target, call: Call = {}): Promise<Reply> {
  const client = await http1(target);
  try {
    return await client.send(call);
  } finally {
    client.close();
  }
}

/** Makes one request, and gives the newest TLS session that the server offered for resumption, if it offered one. */
export async function sessionOf(target: TlsTarget): Promise<Buffer | undefined> {
  const client = await http1(target);
  try {
    await client.send({});
    return client.session();
  } finally {
    client.close();
  }
}

interface Connection {
  socket: net.Socket;
  client: Omit<Client, 'send'>;
}

async function connect(target: Target, protocol: string): Promise<Connection> {
  let offered: Buffer | undefined;
  const socket =
    'socketPath' in target ? net.connect(target.socketPath) : tls.connect(tlsOptions(target, protocol));
  socket.on('session', (session: Buffer) => {
    offered = session;
  });
  await once(socket, 'socketPath' in target ? 'connect' : 'secureConnect');
  const certificate = socket instanceof tls.TLSSocket ? socket.getPeerX509Certificate()?.raw : undefined;
  // Errors show as the failure of a request; without a listener they would end the process.
  socket.on('error', () => undefined);
  return {
    socket,
    client: {
      isOpen: () => !socket.destroyed && !socket.readableEnded,
      resumed: () => socket instanceof tls.TLSSocket && socket.isSessionReused(),
      certificate: () => certificate,
      session: () => offered,
      close: () => socket.destroy(),
    },
  };
}

function tlsOptions(target: TlsTarget, protocol: string): tls.ConnectionOptions {
  return {
    host: '127.0.0.1',
    port: target.port,
    ALPNProtocols: [protocol],
    // These clients play callers of every kind; whom they talk to is not what the tests ask.
    rejectUnauthorized: false,
    ...(target.identity ?? {}),
    ...(target.session ? { session: target.session } : {}),
    ...(target.maxVersion ? { maxVersion: target.maxVersion } : {}),
  };
}

/** Hands out the one socket while it lives; afterwards a request fails instead of opening another. */
class OneSocketAgent extends http.Agent {
  readonly #socket: net.Socket;

  constructor(socket: net.Socket) {
    super({ keepAlive: true, maxSockets: 1 });
    this.#socket = socket;
  }

  override createConnection(): net.Socket {
    return this.#socket;
  }
}

async function sendHttp1(agent: http.Agent, socket: net.Socket, call: Call): Promise<Reply> {
  if (socket.destroyed) throw new Error('the connection is closed');
  const request = http.request({
    agent,
    method: call.method ?? 'GET',
    path: call.path ?? '/',
    headers: { host: 'orders', ...call.headers },
  });
  request.end(call.body);
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  return { status: response.statusCode ?? 0, headers: response.headers, body: await textOf(response) };
}

async function sendHttp2(session: http2.ClientHttp2Session, call: Call): Promise<Reply> {
  const stream = session.request({
    ':authority': 'orders',
    ':method': call.method ?? 'GET',
    ':path': call.path ?? '/',
    ...call.headers,
  });
  stream.end(call.body);
  const closed = once(stream, 'close').then(() => {
    throw new Error(`the stream was reset with code ${stream.rstCode}`);
  });
  const [headers] = (await Promise.race([once(stream, 'response'), closed])) as [http2.IncomingHttpHeaders];
  closed.catch(() => undefined);
  return { status: Number(headers[':status']), headers, body: await textOf(stream) };
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
