import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { type Ending, temporaryFolder } from './children.js';

/** Answers a call: with a value of some type, or an error by its name. `text` is its first argument that is a text. */
export type BusAnswer = (call: {
  member: string;
  path: string;
  args: (string | number)[];
}) => { type: 's' | 'o' | 'v' | 'u'; value: string } | { error: string };

/**
 * A message bus that answers calls itself, written from the D-Bus specification apart from the client that it tests: big- or
 * little-endian, and with a signal before each answer, as a real one sends NameAcquired.
 */
export async function messageBus(t: Ending, answer: BusAnswer, order: 'l' | 'B' = 'l') {
  const path = join(temporaryFolder(t), 'bus');
  const members: string[] = [];
  const server = createServer((socket) =>
    serve(socket, order, (call) => {
      members.push(call.member);
      return call.member === 'Hello' ? { type: 's', value: ':1.7' } : answer(call);
    }),
  );
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.after(() => server.close());
  return { path, members };
}

function serve(socket: Socket, order: 'l' | 'B', answer: BusAnswer): void {
  let input: Buffer = Buffer.alloc(0);
  let isIn = false;
  socket.on('error', () => undefined);
  socket.on('data', (part: Buffer) => {
    input = Buffer.concat([input, part]);
    if (!isIn) {
      const text = input.toString('latin1');
      if (text.endsWith('\r\n') && text.includes('AUTH EXTERNAL ') && !text.includes('BEGIN')) {
        socket.write('OK 0123456789abcdef0123456789abcdef\r\n');
      }
      const begin = text.indexOf('BEGIN\r\n');
      if (begin < 0) return;
      isIn = true;
      input = input.subarray(begin + 7);
    }
    for (let call = readCall(input); call; call = readCall(input)) {
      input = input.subarray(call.length);
      socket.write(message(order, 4, 0, undefined));
      const bytes = message(order, 2, call.serial, answer(call));
      // In two pieces, as a stream may bring it.
      socket.write(bytes.subarray(0, 20));
      socket.write(bytes.subarray(20));
    }
  });
}

/** Calls come little-endian from the client under test. */
function readCall(bytes: Buffer) {
  if (bytes.length < 16) return undefined;
  const bodyLength = bytes.readUInt32LE(4);
  const serial = bytes.readUInt32LE(8);
  const end = 16 + bytes.readUInt32LE(12);
  const bodyAt = (end + 7) & ~7;
  if (bytes.length < bodyAt + bodyLength) return undefined;
  const fields: Record<number, string> = {};
  for (let at = 16; at < end; ) {
    at = (at + 7) & ~7;
    const code = bytes.readUInt8(at);
    const isSignature = bytes.toString('latin1', at + 2, at + 3) === 'g';
    const lengthAt = at + 4;
    const length = isSignature ? bytes.readUInt8(lengthAt) : bytes.readUInt32LE(lengthAt);
    const from = lengthAt + (isSignature ? 1 : 4);
    fields[code] = bytes.toString('utf8', from, from + length);
    at = from + length + 1;
  }
  const args: (string | number)[] = [];
  let at = bodyAt;
  for (const type of fields[8] ?? '') {
    at = (at + 3) & ~3;
    const number = bytes.readUInt32LE(at);
    at += 4;
    if (type === 'u') args.push(number);
    else {
      args.push(bytes.toString('utf8', at, at + number));
      at += number + 1;
    }
  }
  return { length: bodyAt + bodyLength, serial, member: fields[3] ?? '', path: fields[1] ?? '', args };
}

function message(
  order: 'l' | 'B',
  type: number,
  replyTo: number,
  answer: ReturnType<BusAnswer> | undefined,
): Buffer {
  const u32 = (value: number) => {
    const bytes = Buffer.alloc(4);
    if (order === 'B') bytes.writeUInt32BE(value);
    else bytes.writeUInt32LE(value);
    return bytes;
  };
  const text = (value: string) => Buffer.concat([u32(Buffer.byteLength(value)), Buffer.from(`${value}\0`)]);
  const pad = (bytes: Buffer, to: number) => Buffer.concat([bytes, Buffer.alloc(-bytes.length & (to - 1))]);
  let fields = Buffer.alloc(0);
  const add = (code: number, signature: string, value: Buffer) => {
    fields = Buffer.concat([pad(fields, 8), Buffer.from([code, 1]), Buffer.from(`${signature}\0`), value]);
  };
  const signature = (value: string) => Buffer.from([value.length, ...Buffer.from(value), 0]);
  let body = Buffer.alloc(0);
  if (replyTo !== 0) add(5, 'u', u32(replyTo));
  add(7, 's', text('org.freedesktop.DBus'));
  if (answer && 'error' in answer) add(4, 's', text(answer.error));
  else if (answer) {
    add(8, 'g', signature(answer.type));
    const inner = answer.type === 'u' ? u32(1) : text(answer.value);
    body = answer.type === 'v' ? Buffer.concat([pad(signature('s'), 4), inner]) : inner;
  }
  const kind = answer && 'error' in answer ? 3 : type;
  const head = Buffer.concat([Buffer.from([order.charCodeAt(0), kind, 1, 1]), u32(body.length), u32(9)]);
  return Buffer.concat([pad(Buffer.concat([head, u32(fields.length), fields]), 8), body]);
}
