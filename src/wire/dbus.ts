/** A call of a method on a message bus, with one argument at most. */
export interface DBusCall {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly arguments?: readonly (string | number)[];
}

/** What came over the bus: the answer to a call, an error in its place, or something else. */
export interface DBusMessage {
  readonly kind: 'return' | 'error' | 'other';
  /** Of the call that it answers. */
  readonly replyTo: number | undefined;
  /** The name of the error. */
  readonly error: string | undefined;
  /** The first value of the body, where that is a text, an object's path, or a variant of them. */
  readonly text: string | undefined;
}

/** No message of ours comes near; the protocol's own limit is 128 MiB. */
const maxMessageBytes = 1 << 20;

const methodCall = 1;
const kinds: Record<number, DBusMessage['kind']> = { 2: 'return', 3: 'error' };
const field = {
  path: 1,
  interface: 2,
  member: 3,
  errorName: 4,
  replySerial: 5,
  destination: 6,
  signature: 8,
};

/** The bytes of a call (D-Bus specification, "Message Format"). Texts are arguments of type STRING, numbers UINT32. */
export function encodeDBusCall(call: DBusCall, serial: number): Buffer {
  const body = new Writer();
  const { arguments: args = [] } = call;
  for (const argument of args) {
    if (typeof argument === 'number') body.uint32(argument);
    else body.string(argument);
  }
  const fields = new Writer();
  fields.field(field.path, 'o', (to) => to.string(call.path));
  fields.field(field.interface, 's', (to) => to.string(call.interface));
  fields.field(field.member, 's', (to) => to.string(call.member));
  fields.field(field.destination, 's', (to) => to.string(call.destination));
  const signature = args.map((argument) => (typeof argument === 'number' ? 'u' : 's')).join('');
  if (signature !== '') fields.field(field.signature, 'g', (to) => to.signature(signature));
  const message = new Writer();
  for (const byte of ['l'.charCodeAt(0), methodCall, 0, 1]) message.byte(byte);
  message.uint32(body.length);
  message.uint32(serial);
  message.uint32(fields.length);
  message.append(fields);
  message.align(8);
  message.append(body);
  return message.bytes();
}

/** Reads the message at the start of `bytes`; `undefined` while it is not whole. Throws a RangeError for what is none. */
export function decodeDBusMessage(bytes: Buffer): { message: DBusMessage; length: number } | undefined {
  if (bytes.length < 16) return undefined;
  const reader = new Reader(bytes, bytes[0] === 'B'.charCodeAt(0));
  if (!['l', 'B'].includes(String.fromCharCode(bytes[0] ?? 0)) || bytes[3] !== 1) {
    throw new RangeError('not a message of D-Bus version 1');
  }
  reader.at = 4;
  const bodyLength = reader.uint32();
  reader.at = 12;
  const fieldsEnd = 16 + reader.uint32();
  const bodyAt = Math.ceil(fieldsEnd / 8) * 8;
  const length = bodyAt + bodyLength;
  if (length > maxMessageBytes) throw new RangeError('a message that is too long');
  if (bytes.length < length) return undefined;
  const fields = readFields(reader, fieldsEnd);
  reader.at = bodyAt;
  const signature = fields.get(field.signature);
  const replyTo = fields.get(field.replySerial);
  const error = fields.get(field.errorName);
  return {
    length,
    message: {
      kind: kinds[bytes[1] ?? 0] ?? 'other',
      replyTo: typeof replyTo === 'number' ? replyTo : undefined,
      error: typeof error === 'string' ? error : undefined,
      text: typeof signature === 'string' ? firstText(reader, signature) : undefined,
    },
  };
}

function readFields(reader: Reader, end: number): Map<number, string | number | undefined> {
  const fields = new Map<number, string | number | undefined>();
  while (reader.at < end) {
    reader.align(8);
    const code = reader.byte();
    fields.set(code, reader.value(reader.signature()));
  }
  return fields;
}

function firstText(reader: Reader, signature: string): string | undefined {
  if (!/^[sov]/.test(signature)) return undefined;
  const value = reader.value(signature.charAt(0));
  return typeof value === 'string' ? value : undefined;
}

/** Little-endian; every value is aligned to its size, counted from the start of the message. */
class Writer {
  readonly #bytes: number[] = [];

  get length(): number {
    return this.#bytes.length;
  }

  byte(value: number): void {
    this.#bytes.push(value & 0xff);
  }

  align(size: number): void {
    while (this.#bytes.length % size !== 0) this.byte(0);
  }

  uint32(value: number): void {
    this.align(4);
    for (const shift of [0, 8, 16, 24]) this.byte(value >>> shift);
  }

  string(value: string): void {
    const bytes = Buffer.from(value, 'utf8');
    this.uint32(bytes.length);
    this.#bytes.push(...bytes, 0);
  }

  signature(value: string): void {
    this.byte(value.length);
    this.#bytes.push(...Buffer.from(value, 'latin1'), 0);
  }

  /** A field of the header: a structure of its code and a variant. Headers begin at a multiple of 8, so alignment holds. */
  field(code: number, type: string, write: (to: Writer) => void): void {
    this.align(8);
    this.byte(code);
    this.signature(type);
    write(this);
  }

  append(other: Writer): void {
    this.#bytes.push(...other.#bytes);
  }

  bytes(): Buffer {
    return Buffer.from(this.#bytes);
  }
}

/** Reading beyond the end throws a RangeError, as buffers do. */
class Reader {
  at = 0;
  readonly #bytes: Buffer;
  readonly #bigEndian: boolean;

  constructor(bytes: Buffer, bigEndian: boolean) {
    this.#bytes = bytes;
    this.#bigEndian = bigEndian;
  }

  align(size: number): void {
    this.at = Math.ceil(this.at / size) * size;
  }

  byte(): number {
    return this.#bytes.readUInt8(this.at++);
  }

  uint32(): number {
    this.align(4);
    const at = this.at;
    this.at += 4;
    return this.#bigEndian ? this.#bytes.readUInt32BE(at) : this.#bytes.readUInt32LE(at);
  }

  string(): string {
    return this.#text(this.uint32());
  }

  signature(): string {
    return this.#text(this.byte());
  }

  /** A value of one of the types that headers and our answers are made of. */
  value(type: string): string | number | undefined {
    if (type === 's' || type === 'o') return this.string();
    if (type === 'g') return this.signature();
    if (type === 'u') return this.uint32();
    if (type === 'v') return this.value(this.signature());
    throw new RangeError(`a value of type ${type}`);
  }

  #text(length: number): string {
    const end = this.at + length;
    if (end >= this.#bytes.length) throw new RangeError('a text that goes beyond the end');
    const text = this.#bytes.toString('utf8', this.at, end);
    this.at = end + 1;
    return text;
  }
}
