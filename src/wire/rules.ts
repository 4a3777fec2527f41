import protobuf, { type Field, type ReflectionObject, type Type } from 'protobufjs';
import { fault } from '../base/faults/fault.js';
import { describePlace, type Place } from './place.js';

/** Checks one rule against a message's fields; throws a fault that names the place. */
export type Rule = (value: Readonly<Record<string, unknown>>, place: Place) => void;

/**
 * The rules in a message's own definition (`validate.rules`, protoc-gen-validate) about what must be there and how much of it.
 * Envoy refuses a message that breaks one, and its refusal names no resource. Ranges of numbers are left to Envoy.
 */
export function rulesOf(type: Type): Rule[] {
  const rules: Rule[] = [];
  for (const oneof of type.oneofsArray) {
    if (oneof.getOption('(validate.required)') === true) rules.push(oneArm(oneof.name, oneof.oneof));
  }
  for (const field of type.fieldsArray) {
    // The arm of a oneof is required only once it was chosen, and then it is there.
    const required = field.partOf === null && presence.some((key) => ruleOf(field, key) === true);
    if (required) rules.push(present(type, field.name));
    for (const size of sizes) rules.push(...bounded(field, size));
  }
  return rules;
}

const presence = ['message.required', 'any.required', 'duration.required', 'timestamp.required'];

interface Size {
  least?: string;
  most?: string;
  unit: string;
  of(value: unknown): number | undefined;
}

const sizes: readonly Size[] = [
  { least: 'string.min_len', unit: 'characters', of: (value) => lengthOf(value, (text) => [...text].length) },
  {
    most: 'string.max_bytes',
    unit: 'bytes',
    of: (value) => lengthOf(value, (text) => Buffer.byteLength(text)),
  },
  {
    least: 'bytes.min_len',
    most: 'bytes.max_len',
    unit: 'bytes',
    of: (value) => (value instanceof Uint8Array ? value.length : undefined),
  },
  {
    least: 'repeated.min_items',
    most: 'repeated.max_items',
    unit: 'items',
    of: (value) => (Array.isArray(value) ? value.length : undefined),
  },
  {
    least: 'map.min_pairs',
    unit: 'entries',
    of: (value) => (typeof value === 'object' && value !== null ? Object.keys(value).length : undefined),
  },
];

function present(type: Type, field: string): Rule {
  const name = type.fullName.slice(1);
  return (value, place) => {
    if (value[field] === undefined) throw fault('WIR0201', { path: describePlace(place), field, type: name });
  };
}

function oneArm(oneof: string, arms: readonly string[]): Rule {
  return (value, place) => {
    if (arms.some((arm) => value[arm] !== undefined)) return;
    throw fault('WIR0202', { path: describePlace(place), oneof, arms: arms.join(', ') });
  };
}

function bounded(field: Field, size: Size): Rule[] {
  const least = numberOf(field, size.least) ?? 0;
  const most = numberOf(field, size.most) ?? Number.POSITIVE_INFINITY;
  // A rule on a message field (a wrapper such as StringValue) speaks of what is inside it.
  const isMessage = field.resolvedType instanceof protobuf.Type && !field.repeated && !field.map;
  if ((least === 0 && most === Number.POSITIVE_INFINITY) || isMessage) return [];
  const ignoresEmpty = ruleOf(field, 'string.ignore_empty') === true;
  const ignoresAbsent = ignoresEmpty || field.partOf !== null;
  return [
    (value, place) => {
      const given = value[field.name];
      // A value of another kind has no size here; the writer refuses it and can say what it should be.
      const actual = given === undefined ? 0 : size.of(given);
      if (actual === undefined || (given === undefined && ignoresAbsent) || (actual === 0 && ignoresEmpty))
        return;
      if (actual >= least && actual <= most) return;
      const path = `${describePlace(place)}.${field.name}`;
      if (actual < least) throw fault('WIR0203', { path, actual, unit: size.unit, least });
      throw fault('WIR0204', { path, actual, unit: size.unit, most });
    },
  ];
}

function lengthOf(value: unknown, measure: (text: string) => number): number | undefined {
  return typeof value === 'string' ? measure(value) : undefined;
}

function numberOf(field: Field, key: string | undefined): number | undefined {
  const value: unknown = key === undefined ? undefined : ruleOf(field, key);
  return typeof value === 'number' ? value : undefined;
}

function ruleOf(object: ReflectionObject, key: string): unknown {
  return object.getOption(`(validate.rules).${key}`);
}
