import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';

/** One HTTP/1.1 request, as an application makes it on its Envoy's outbound socket. */
export interface Request {
  /** The service that is called. */
  readonly to: string;
  readonly method: string;
  /** Sent as it is, never normalised. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One connection, kept alive; a second one is never opened, so that a cut one shows. */
export interface Connection {
  /** The status of the answer; 0 when there was none, because the connection is closed or nobody answered in time. */
  send(request: Request): Promise<number>;
  isOpen(): boolean;
  close(): void;
}

export async function connect(socketPath: string): Promise<Connection> {
  const socket = net.connect(socketPath);
  await once(socket, 'connect');
  // Errors show as the end of the connection; without a listener they would end the process.
  socket.on('error', () => undefined);
  const agent = new OneSocketAgent(socket);
  return {
    send: async ({ to, method, path, headers }) => {
      if (socket.destroyed) return 0;
      const options = { agent, method, path, headers: { host: to, ...headers } };
      return await roundTrip(options).then(
        ({ statusCode }) => statusCode,
        () => 0,
      );
    },
    isOpen: () => !socket.destroyed,
    close: () => socket.destroy(),
  };
}

/** The body of a GET on a unix socket, on a connection of its own. */
export async function readFrom(
  socketPath: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  const response = await roundTrip({
    socketPath,
    path,
    headers: { host: 'localhost', ...headers },
    agent: false,
  });
  return response.body;
}

async function roundTrip(options: http.RequestOptions): Promise<{ statusCode: number; body: string }> {
  const request = http.request({ timeout: 10_000, ...options });
  request.once('timeout', () => request.destroy(new Error('no answer within 10 s')));
  request.end();
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  let body = '';
  for await (const chunk of response.setEncoding('utf8')) body += chunk;
  return { statusCode: response.statusCode ?? 0, body };
}

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
