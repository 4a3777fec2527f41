import type { Long, Writer } from 'protobufjs';
import { fault } from '../base/faults/fault.js';
import { describePlace, type Place } from './place.js';

/** How a value goes on the wire: a scalar, an enum or a message. */
export interface Element {
  readonly wireType: number;
  /** Checks the value and writes it, after its tag if there is one; a zero only if `keepZero`. */
  write(writer: Writer, value: unknown, place: Place, tag: number | undefined, keepZero: boolean): void;
}

/** Builds an element from its parts: how to check a value, whether it is the type's zero, how to write it. */
export function element<T>(
  wireType: number,
  read: (value: unknown, place: Place) => T,
  isZero: (value: T) => boolean,
  put: (writer: Writer, value: T) => void,
): Element {
  return {
    wireType,
    write(writer, value, place, tag, keepZero) {
      const checked = read(value, place);
      if (!keepZero && isZero(checked)) return;
      if (tag !== undefined) writer.uint32(tag);
      put(writer, checked);
    },
  };
}

const varint = 0;
const fixed64 = 1;
const lengthPrefixed = 2;
const fixed32 = 5;

/** The scalar types of protobuf by name. */
export const scalars: Readonly<Record<string, Element>> = {
  double: element(fixed64, number, isPlusZero, (writer, value) => writer.double(value)),
  float: element(fixed32, float, isPlusZero, (writer, value) => writer.float(value)),
  int32: element(varint, int32, isZero, (writer, value) => writer.int32(value)),
  uint32: element(varint, uint32, isZero, (writer, value) => writer.uint32(value)),
  sint32: element(varint, int32, isZero, (writer, value) => writer.sint32(value)),
  fixed32: element(fixed32, uint32, isZero, (writer, value) => writer.fixed32(value)),
  sfixed32: element(fixed32, int32, isZero, (writer, value) => writer.sfixed32(value)),
  int64: element(varint, int64, isZero64, (writer, value) => writer.int64(halves(value))),
  uint64: element(varint, uint64, isZero64, (writer, value) => writer.uint64(halves(value))),
  sint64: element(varint, int64, isZero64, (writer, value) => writer.sint64(halves(value))),
  fixed64: element(fixed64, uint64, isZero64, (writer, value) => writer.fixed64(halves(value))),
  sfixed64: element(fixed64, int64, isZero64, (writer, value) => writer.sfixed64(halves(value))),
  bool: element(
    varint,
    boolean,
    (value) => !value,
    (writer, value) => writer.bool(value),
  ),
  string: element(
    lengthPrefixed,
    text,
    (value) => value === '',
    (writer, value) => writer.string(value),
  ),
  bytes: element(
    lengthPrefixed,
    octets,
    (value) => value.length === 0,
    (writer, value) => writer.bytes(value),
  ),
};

/** The fault for a value of another kind than the field's; says what it is, never its contents, which may be a secret. */
export function wrongKind(expected: string, value: unknown, place: Place): Error {
  const actual = value === null ? 'null' : Array.isArray(value) ? 'a list' : `of type ${typeof value}`;
  return fault('WIR0106', { path: describePlace(place), expected, actual });
}

function isZero(value: number): boolean {
  return value === 0;
}

/** Of a floating point number: minus zero has a bit set and is written. */
function isPlusZero(value: number): boolean {
  return Object.is(value, 0);
}

function isZero64(value: bigint): boolean {
  return value === 0n;
}

function number(value: unknown, place: Place): number {
  if (typeof value !== 'number') throw wrongKind('a number', value, place);
  return value;
}

function float(value: unknown, place: Place): number {
  const given = number(value, place);
  if (Number.isFinite(given) && !Number.isFinite(Math.fround(given))) throw outOfRange('float', given, place);
  return given;
}

function int32(value: unknown, place: Place): number {
  const given = number(value, place);
  if ((given | 0) !== given) throw outOfRange('32-bit integer', given, place);
  return given;
}

function uint32(value: unknown, place: Place): number {
  const given = number(value, place);
  if (given >>> 0 !== given) throw outOfRange('unsigned 32-bit integer', given, place);
  return given;
}

function int64(value: unknown, place: Place): bigint {
  const given = integer(value, place);
  if (BigInt.asIntN(64, given) !== given) throw outOfRange('64-bit integer', String(given), place);
  return given;
}

function uint64(value: unknown, place: Place): bigint {
  const given = integer(value, place);
  if (BigInt.asUintN(64, given) !== given) throw outOfRange('unsigned 64-bit integer', String(given), place);
  return given;
}

/** A decimal string, or a number that is exact. */
function integer(value: unknown, place: Place): bigint {
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) return BigInt(value);
    throw outOfRange('64-bit integer written as a number', value, place);
  }
  if (typeof value !== 'string') throw wrongKind('an integer as a decimal string', value, place);
  if (!/^-?(?:0|[1-9]\d{0,19})$/.test(value)) throw outOfRange('64-bit integer', value, place);
  return BigInt(value);
}

function boolean(value: unknown, place: Place): boolean {
  if (typeof value !== 'boolean') throw wrongKind('true or false', value, place);
  return value;
}

function text(value: unknown, place: Place): string {
  if (typeof value !== 'string') throw wrongKind('a string', value, place);
  // Half a surrogate pair has no UTF-8 form; the writer would put something else in its place.
  if (!value.isWellFormed()) throw fault('WIR0110', { path: describePlace(place) });
  return value;
}

function octets(value: unknown, place: Place): Uint8Array {
  if (!(value instanceof Uint8Array)) throw wrongKind('bytes (a Buffer or Uint8Array)', value, place);
  return value;
}

function outOfRange(type: string, value: number | string, place: Place): Error {
  return fault('WIR0107', { path: describePlace(place), value, type });
}

/** protobufjs's own form of a 64-bit integer: two halves. */
function halves(value: bigint): Long {
  const bits = BigInt.asUintN(64, value);
  return { low: Number(bits & 0xffff_ffffn) | 0, high: Number(bits >> 32n) | 0, unsigned: false };
}
