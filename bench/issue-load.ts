import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { performance } from 'node:perf_hooks';
import { connect as connectTls } from 'node:tls';
import type { X509Svid } from '../src/spiffe/x509-svid.js';
import { tlsContextOptions } from '../src/transport/tls-context.js';

// A process of its own that asks a server for SVIDs. It shares the machine with the server, so it does as little as it can:
// its requests come encoded, and of a response it reads no more than that every result is there and OK.

export interface LoadStart {
  readonly address: string;
  readonly svid: X509Svid;
  /** Encoded `BatchNewX509SVIDRequest`s: of one, of a hundred, of all workloads. */
  readonly requests: {
    readonly ones: readonly Uint8Array[];
    readonly hundreds: readonly Uint8Array[];
    readonly all: Uint8Array;
  };
}

export interface Load {
  readonly kind: 'batches' | 'singles' | 'single beside batches';
  readonly ms: number;
}

export interface LoadAnswer {
  readonly issued: number;
  readonly seconds: number;
  /** How long each single request took, beside batches. */
  readonly singleMs: readonly number[];
}

const batchCallers = 4;
const singleCallers = 16;
const bigBatchCallers = 2;
const sessions = 4;
const path = '/spire.api.server.svid.v1.SVID/BatchNewX509SVID';

let load: ((load: Load) => Promise<LoadAnswer>) | undefined;
process.on('message', (message: LoadStart | Load) => {
  if ('address' in message) load = loadOn(message);
  else void load?.(message).then((answer) => process.send?.(answer));
});

function loadOn({ address, svid, requests }: LoadStart): (load: Load) => Promise<LoadAnswer> {
  const connections = Array.from({ length: sessions }, () => open(address, svid));
  const on = (index: number) => connections[index % connections.length] as ClientHttp2Session;
  const ones = requests.ones.map((request) => framed(request, 1));
  const hundreds = requests.hundreds.map((request) => framed(request, 100));
  const all = framed(requests.all, requests.ones.length);
  return async ({ kind, ms }) => {
    const until = performance.now() + ms;
    const began = performance.now();
    const singleMs: number[] = [];
    let issued = 0;
    const caller = async (connection: ClientHttp2Session, pool: readonly Framed[], first: number) => {
      for (let turn = first; performance.now() < until; turn++) {
        const request = pool[turn % pool.length] as Framed;
        const sent = performance.now();
        await call(connection, request);
        issued += request.count;
        if (request.count === 1) singleMs.push(performance.now() - sent);
      }
    };
    const callers = (count: number, pool: readonly Framed[]) =>
      Array.from({ length: count }, (_, index) =>
        caller(on(index), pool, Math.floor((index * pool.length) / count)),
      );
    if (kind === 'batches') await Promise.all(callers(batchCallers, hundreds));
    else if (kind === 'singles') await Promise.all(callers(singleCallers, ones));
    else await Promise.all([...callers(bigBatchCallers, [all]), caller(on(bigBatchCallers), ones, 0)]);
    return { issued, seconds: (performance.now() - began) / 1000, singleMs };
  };
}

interface Framed {
  readonly frame: Buffer;
  readonly count: number;
}

/** The message as gRPC sends it: not compressed, its length, its bytes. */
function framed(message: Uint8Array, count: number): Framed {
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return { frame, count };
}

function open(address: string, svid: X509Svid): ClientHttp2Session {
  const [host = '', port = ''] = address.split(':');
  const session = connectHttp2(`https://${address}`, {
    createConnection: () =>
      connectTls({
        host,
        port: Number(port),
        ...tlsContextOptions(svid),
        ALPNProtocols: ['h2'],
        rejectUnauthorized: false,
      }),
    settings: { initialWindowSize: 4 << 20 },
  });
  session.once('connect', () => session.setLocalWindowSize(16 << 20));
  session.on('error', fail);
  return session;
}

function call(session: ClientHttp2Session, { frame, count }: Framed): Promise<void> {
  return new Promise((resolve) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const chunks: Buffer[] = [];
    let status: unknown;
    stream.on('response', (headers) => {
      status = headers['grpc-status'];
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('trailers', (trailers) => {
      status = trailers['grpc-status'];
    });
    stream.on('error', fail);
    stream.on('close', () => {
      const issued = status === '0' ? issuedIn(Buffer.concat(chunks).subarray(5)) : -1;
      if (issued === count) resolve();
      else fail(new Error(`grpc-status ${String(status)}, ${issued} of ${count} SVIDs`));
    });
    stream.end(frame);
  });
}

/**
 * How many results of a `BatchNewX509SVIDResponse` hold an SVID and a status without an error. Results are its field 1; in
 * one, field 1 is the status, whose code (its own field 1) is left out when it is OK, and field 2 the SVID.
 */
function issuedIn(response: Buffer): number {
  let issued = 0;
  for (let at = 0; at < response.length; ) {
    const [size, result] = lengthAt(response, at + 1);
    const end = result + size;
    let next = result;
    let isOk = true;
    if (response[next] === 0x0a) {
      const [statusSize, status] = lengthAt(response, next + 1);
      isOk = statusSize === 0 || response[status] !== 0x08;
      next = status + statusSize;
    }
    if (isOk && response[next] === 0x12) issued++;
    at = end;
  }
  return issued;
}

/** A varint that is a length, and where what it measures begins. */
function lengthAt(bytes: Buffer, start: number): [length: number, next: number] {
  let length = 0;
  for (let at = start, shift = 0; ; at++, shift += 7) {
    const byte = bytes[at] ?? 0;
    length |= (byte & 0x7f) << shift;
    if (byte < 0x80) return [length, at + 1];
  }
}

function fail(error: Error): void {
  console.error(error.message);
  process.exit(1);
}
