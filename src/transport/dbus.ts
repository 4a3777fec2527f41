import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { fault, isFault } from '../base/faults/fault.js';
import { type DBusCall, type DBusMessage, decodeDBusMessage, encodeDBusCall } from '../wire/dbus.js';

/** The text that a method answered with, which an object's path is too, or the name of its error. */
export type DBusAnswer = { readonly text: string } | { readonly error: string };

export type CallOverBus = (call: DBusCall) => Promise<DBusAnswer>;

/**
 * Opens a connection of its own to the message bus at `path`, and closes it after `use`. As much of the D-Bus specification as
 * calling methods takes: the EXTERNAL mechanism, by which the kernel says who we are, and one call at a time.
 * Throws TRN0402 when the bus does not answer, or not with a text or an error, in `timeoutMs` in all.
 */
export async function withMessageBus<T>(
  path: string,
  timeoutMs: number,
  use: (call: CallOverBus) => Promise<T>,
): Promise<T> {
  const socket = createConnection(path);
  const timer = setTimeout(() => socket.destroy(new Error('it did not answer in time')), timeoutMs);
  try {
    const input = inputOf(socket);
    await authenticate(socket, input);
    const call = caller(socket, input);
    await call({ ...bus, member: 'Hello' });
    return await use(call);
  } catch (cause) {
    if (isFault(cause)) throw cause;
    const { code, message = String(cause) } = cause as NodeJS.ErrnoException;
    throw fault('TRN0402', { path, problem: code ?? message }, { cause });
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

const bus = {
  destination: 'org.freedesktop.DBus',
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
};

async function authenticate(socket: Socket, input: Input): Promise<void> {
  await once(socket, 'connect');
  const uid = Buffer.from(String(process.geteuid?.())).toString('hex');
  socket.write(`\0AUTH EXTERNAL ${uid}\r\n`);
  const answer = await input.take((bytes) => {
    const end = bytes.indexOf('\r\n');
    if (end < 0 && bytes.length > 4096) throw new RangeError('it does not speak D-Bus');
    return end < 0 ? undefined : { value: bytes.toString('latin1', 0, end), length: end + 2 };
  });
  if (!answer.startsWith('OK ')) throw new Error('it does not let this user in');
  socket.write('BEGIN\r\n');
}

function caller(socket: Socket, input: Input): CallOverBus {
  let serial = 0;
  return async (call) => {
    const mine = ++serial;
    socket.write(encodeDBusCall(call, mine));
    for (;;) {
      const message: DBusMessage = await input.take((bytes) => {
        const read = decodeDBusMessage(bytes);
        return read && { value: read.message, length: read.length };
      });
      if (message.replyTo !== mine) continue;
      if (message.kind === 'error') return { error: message.error ?? 'an error without a name' };
      if (message.text === undefined) throw new Error(`it answered ${call.member} with no text`);
      return { text: message.text };
    }
  };
}

interface Input {
  /** Waits until `read` finds a whole value at the start of what came; rejects when the connection ends before. */
  take<T>(read: (bytes: Buffer) => { value: T; length: number } | undefined): Promise<T>;
}

function inputOf(socket: Socket): Input {
  let bytes: Buffer = Buffer.alloc(0);
  const parts = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  return {
    async take(read) {
      for (;;) {
        const found = read(bytes);
        if (found) {
          bytes = bytes.subarray(found.length);
          return found.value;
        }
        const { value, done } = await parts.next();
        if (done) throw new Error('it closed the connection');
        bytes = Buffer.concat([bytes, value]);
      }
    },
  };
}
