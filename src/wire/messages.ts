import { decodeMessage } from './decode.js';
import { encodeMessage } from './encode.js';
import type { MessageIn, MessageOut } from './names.js';
import { messageType } from './schema.js';

/** A `google.protobuf.Any` as a value inside another message. */
export interface PackedAny {
  type_url: string;
  value: Buffer;
}

/**
 * Encodes a top-level message by its full name. Values are written as proto-loader writes them: snake_case fields (camelCase
 * inside the well-known types `google.protobuf.Struct` and `Value`), 64-bit integers as decimal strings, enums by name, bytes
 * as Buffer or Uint8Array; an absent field is left out or undefined.
 *
 * Nothing is guessed: what protobufjs would drop or turn into a zero (an unknown field or enum name, a second arm of a oneof,
 * an unknown `@type`, a wrong scalar, a missing required field) is a WIR fault that names the path. The bytes are canonical:
 * fields by number, map entries by key, so equal values have equal bytes.
 */
export function encode<Name extends string>(name: Name, value: MessageIn<Name>): Buffer {
  return encodeMessage(messageType(name), value);
}

/**
 * Decodes a top-level message by its full name into the same form; a field that is not on the wire is absent, and each oneof
 * is also there as a field that names its arm. Unknown fields are skipped, as protobuf wants. Bytes that are no such message
 * are a fault.
 */
export function decode<Name extends string>(name: Name, bytes: Uint8Array): MessageOut<Name> {
  return decodeMessage(messageType(name), bytes) as MessageOut<Name>;
}

/** Packs a message into an Any, as a value for a field of another message. */
export function anyOf<Name extends string>(name: Name, value: MessageIn<Name>): PackedAny {
  return { type_url: typeUrlOf(name), value: encode(name, value) };
}

/** Packs a message into an Any and serializes that: the bytes of an xDS resource. */
export function encodeAny<Name extends string>(name: Name, value: MessageIn<Name>): Buffer {
  return encode('google.protobuf.Any', anyOf(name, value));
}

/** The type URL of a message name. */
export function typeUrlOf(name: string): string {
  return `type.googleapis.com/${name}`;
}
