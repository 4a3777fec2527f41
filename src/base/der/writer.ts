import { contextConstructed, contextPrimitive, tags } from './reader.js';

/** Writes DER (ITU-T X.690 §10): one function a type, each giving the whole value with its tag and length. */
export function value(tag: number, ...content: Uint8Array[]): Buffer {
  let length = 0;
  for (const part of content) length += part.length;
  const head = header(tag, length);
  const whole = Buffer.allocUnsafe(head.length + length);
  whole.set(head);
  let at = head.length;
  for (const part of content) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export const sequence = (...members: Uint8Array[]): Buffer => value(tags.sequence, ...members);

/** A SET of one member: with more, DER would want them sorted, and nothing here needs that. */
export const setOfOne = (member: Uint8Array): Buffer => value(tags.set, member);

/** `[number]` around whole values. */
export const explicit = (number: number, ...members: Uint8Array[]): Buffer =>
  value(contextConstructed(number), ...members);

/** `[number]` in place of the tag of a primitive value. */
export const implicit = (number: number, content: Uint8Array): Buffer =>
  value(contextPrimitive(number), content);

/** A non-negative INTEGER from big-endian bytes. */
export function unsigned(bytes: Uint8Array): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const digits = bytes.subarray(start);
  return value(tags.integer, (digits[0] ?? 0x80) & 0x80 ? Buffer.concat([Buffer.of(0), digits]) : digits);
}

/** An INTEGER from 0 to 127. */
export const small = (number: number): Buffer => value(tags.integer, Buffer.of(number));

export const booleanTrue = (): Buffer => value(tags.boolean, Buffer.of(0xff));

export const octetString = (content: Uint8Array): Buffer => value(tags.octetString, content);

/** A BIT STRING of whole bytes. */
export const wholeBytes = (bytes: Uint8Array): Buffer => value(tags.bitString, Buffer.of(0), bytes);

/** A BIT STRING of flags, without trailing zero bits (X.690 §11.2.2), from the numbers of the bits that are set. */
export function flags(bits: readonly number[]): Buffer {
  if (bits.length === 0) return value(tags.bitString, Buffer.of(0));
  const highest = Math.max(...bits);
  const bytes = Buffer.alloc((highest >> 3) + 1);
  for (const bit of bits) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
  return value(tags.bitString, Buffer.of(7 - (highest & 7)), bytes);
}

/** An OBJECT IDENTIFIER from its dotted form. There are few of them, and each is written once. */
export function oid(dotted: string): Buffer {
  let written = oids.get(dotted);
  if (!written) {
    const [top = 0, second = 0, ...others] = dotted.split('.').map(Number);
    written = value(tags.oid, Buffer.from([top * 40 + second, ...others].flatMap(base128)));
    oids.set(dotted, written);
  }
  return written;
}

const oids = new Map<string, Buffer>();

export const utf8String = (text: string): Buffer => value(tags.utf8String, Buffer.from(text));

/** `text` must keep to the characters of PrintableString: letters, digits and a little punctuation. */
export const printableString = (text: string): Buffer => value(tags.printableString, Buffer.from(text));

/** Milliseconds since the Unix epoch, cut to the second, as RFC 5280 §4.1.2.5 writes it: UTCTime until 2049. */
export function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/\.\d+Z|[-:T]/g, '');
  const utc = digits.slice(0, 4) >= '1950' && digits.slice(0, 4) <= '2049';
  return utc
    ? value(tags.utcTime, Buffer.from(`${digits.slice(2)}Z`))
    : value(tags.generalizedTime, Buffer.from(`${digits}Z`));
}

function base128(arc: number): number[] {
  const bytes = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.unshift((rest % 128) | 0x80);
  }
  return bytes;
}

function header(tag: number, length: number): number[] {
  if (length < 0x80) return [tag, length];
  if (length < 0x100) return [tag, 0x81, length];
  if (length < 0x10000) return [tag, 0x82, length >> 8, length & 0xff];
  return [tag, 0x83, length >> 16, (length >> 8) & 0xff, length & 0xff];
}
