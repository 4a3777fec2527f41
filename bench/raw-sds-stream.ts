import { once } from 'node:events';
import net from 'node:net';
import protobuf from 'protobufjs';
import { encode, typeUrlOf } from '../src/wire/messages.js';

// HTTP/2 by hand (RFC 9113), as little of it as one gRPC stream needs: with a whole client for each of thousands of connections
// a benchmark would measure its own clients.

export interface RawSdsStream {
  close(): void;
}

export interface SdsListener {
  /** A response came; it is acknowledged already. */
  response(): void;
  /** The stream or the connection ended. */
  ended(reason: string): void;
}

/** Opens a connection of its own to an agent's socket and a state-of-the-world SDS stream on it, and asks for `names`. */
export async function openSdsStream(
  socketPath: string,
  names: readonly string[],
  listener: SdsListener,
): Promise<RawSdsStream> {
  const socket = net.connect(socketPath);
  await once(socket, 'connect');
  socket.on('error', (error) => listener.ended(error.message));
  socket.on('close', () => listener.ended('closed'));
  const send = (fields: object) => socket.write(frame(data, 0, 1, message(fields, names)));
  let rest: Buffer = Buffer.alloc(0);
  let body: Buffer = Buffer.alloc(0);
  const onFrame = (type: number, flags: number, payload: Buffer) => {
    if (type === settings && (flags & ack) === 0) socket.write(frame(settings, ack, 0));
    if (type === ping && (flags & ack) === 0) socket.write(frame(ping, ack, 0, payload));
    if (type === rstStream || type === goaway) listener.ended(`frame ${type}`);
    if (type === headers && (flags & endStream) !== 0) listener.ended('trailers');
    if (type !== data) return;
    body = body.length === 0 ? payload : Buffer.concat([body, payload]);
    while (body.length >= 5 && body.length >= 5 + body.readUInt32BE(1)) {
      const end = 5 + body.readUInt32BE(1);
      const { version, nonce } = versionAndNonce(body.subarray(5, end));
      body = body.subarray(end);
      send({ version_info: version, response_nonce: nonce });
      listener.response();
    }
  };
  socket.on('data', (chunk: Buffer) => {
    let left = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (left.length >= 9 && left.length >= 9 + left.readUIntBE(0, 3)) {
      const end = 9 + left.readUIntBE(0, 3);
      onFrame(left.readUInt8(3), left.readUInt8(4), left.subarray(9, end));
      left = left.subarray(end);
    }
    rest = left.length === 0 ? left : Buffer.from(left);
  });
  socket.write(opening);
  send({ node: { id: 'bench' } });
  return {
    close: () => {
      socket.removeAllListeners('close');
      socket.destroy();
    },
  };
}

const [data, headers, rstStream, settings, ping, goaway, windowUpdate] = [0, 1, 3, 4, 6, 7, 8];
const [ack, endStream, endHeaders] = [1, 1, 4];

function frame(type: number, flags: number, stream: number, payload: Uint8Array = new Uint8Array()): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** The preface, windows that never close here, and the headers (RFC 7541: indexed where they can be, else literals). */
const opening = openingOf('/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets');

function openingOf(path: string): Buffer {
  const text = (value: string) => Buffer.concat([Buffer.from([value.length]), Buffer.from(value, 'latin1')]);
  const [post, http, pathName, authority, contentType, newName] = [
    [0x83],
    [0x86],
    [4],
    [1],
    [0x0f, 0x10],
    [0],
  ];
  const block = Buffer.concat([
    ...[Buffer.from([...post, ...http, ...pathName]), text(path)],
    ...[Buffer.from(authority), text('agent')],
    ...[Buffer.from(contentType), text('application/grpc')],
    ...[Buffer.from(newName), text('te'), text('trailers')],
  ]);
  const initialWindow = Buffer.from([0, 4, 0x7f, 0xff, 0xff, 0xff]);
  const increment = Buffer.from([0x7f, 0xff, 0, 0]);
  return Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    frame(settings, 0, 0, initialWindow),
    frame(windowUpdate, 0, 0, increment),
    frame(headers, endHeaders, 1, block),
  ]);
}

const type_url = typeUrlOf('envoy.extensions.transport_sockets.tls.v3.Secret');

function message(fields: object, names: readonly string[]): Buffer {
  const body = encode('envoy.service.discovery.v3.DiscoveryRequest', {
    ...{ type_url, resource_names: [...names] },
    ...fields,
  });
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}

/** Fields 1 and 5 of a DiscoveryResponse; the secrets between them are passed over. */
function versionAndNonce(bytes: Uint8Array): { version: string; nonce: string } {
  const reader = protobuf.Reader.create(bytes);
  const found = { version: '', nonce: '' };
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === 1) found.version = reader.string();
    else if (tag >>> 3 === 5) found.nonce = reader.string();
    else reader.skipType(tag & 7);
  }
  return found;
}
