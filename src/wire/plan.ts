import protobuf, { type Enum, type Field, type Type } from 'protobufjs';
import { fault } from '../base/faults/fault.js';
import { describePlace, type Place } from './place.js';
import { type Rule, rulesOf } from './rules.js';
import { type Element, element, scalars, wrongKind } from './scalars.js';

/** What the encoder knows of a message type, worked out once a type. */
export interface MessagePlan {
  /** Full name. */
  readonly name: string;
  readonly fields: ReadonlyMap<string, FieldPlan>;
  /** Names of the oneofs, the synthetic ones of `optional` fields included. */
  readonly oneofs: ReadonlySet<string>;
  /** What must be there, and how much of it. */
  readonly rules: readonly Rule[];
}

export interface FieldPlan {
  readonly name: string;
  readonly number: number;
  /** How it is written in a path. */
  readonly step: string;
  readonly oneof: string | undefined;
  /** Whether a zero differs from an absent field. */
  readonly hasPresence: boolean;
  readonly shape: 'one' | 'list' | 'packed' | 'map';
  readonly key: Element | undefined;
  readonly value: Element | MessageValue;
}

/** A value that is a message: its plan is worked out when it is first needed, since types are recursive. */
export interface MessageValue {
  plan(): MessagePlan;
}

export function isMessage(value: Element | MessageValue): value is MessageValue {
  return 'plan' in value;
}

const plans = new WeakMap<Type, MessagePlan>();

export function planOf(type: Type): MessagePlan {
  let plan = plans.get(type);
  if (plan === undefined) {
    const fields = type.fieldsArray.map((field) => [field.name, fieldPlan(field)] as const);
    const oneofs = new Set(type.oneofsArray.map((oneof) => oneof.name));
    plan = { name: type.fullName.slice(1), fields: new Map(fields), oneofs, rules: rulesOf(type) };
    plans.set(type, plan);
  }
  return plan;
}

function fieldPlan(field: Field): FieldPlan {
  field.resolve();
  const { name, id: number } = field;
  const value = valueType(field);
  const packs = field.packed && !isMessage(value) && value.wireType !== 2;
  return {
    name,
    number,
    step: `.${name}`,
    oneof: field.partOf?.name,
    hasPresence: field.hasPresence,
    shape: field.map ? 'map' : field.repeated ? (packs ? 'packed' : 'list') : 'one',
    key: field instanceof protobuf.MapField ? keyElement(field.keyType) : undefined,
    value,
  };
}

function valueType(field: Field): Element | MessageValue {
  const { resolvedType } = field;
  if (resolvedType instanceof protobuf.Type) return messageValue(resolvedType);
  if (resolvedType instanceof protobuf.Enum) return enumElement(resolvedType);
  const scalar = scalars[field.type];
  if (scalar === undefined)
    throw new Error(`${field.fullName} has the type ${field.type}, which is not loaded`);
  return scalar;
}

function messageValue(type: Type): MessageValue {
  let known: MessagePlan | undefined;
  return {
    plan: () => {
      known ??= planOf(type);
      return known;
    },
  };
}

function enumElement(type: Enum): Element {
  const read = (value: unknown, place: Place): number => {
    if (typeof value !== 'string') throw wrongKind(`a name of the enum ${type.name}`, value, place);
    const found = Object.hasOwn(type.values, value) ? type.values[value] : undefined;
    if (found !== undefined) return found;
    const names = Object.keys(type.values).join(', ');
    throw fault('WIR0103', { path: describePlace(place), value, type: type.name, names });
  };
  return element(
    0,
    read,
    (value) => value === 0,
    (writer, value) => writer.int32(value),
  );
}

/** Keys of a map are the names of a JavaScript object, so always strings; those of other maps are read back. */
function keyElement(keyType: string): Element {
  const scalar = scalars[keyType];
  if (scalar === undefined) throw new Error(`a map cannot have keys of type ${keyType}`);
  if (keyType === 'string' || /64$/.test(keyType)) return scalar;
  // A key that is not the name of such a value stays a string, and the scalar refuses it.
  const read = keyType === 'bool' ? truthNamed : numberNamed;
  return { ...scalar, write: (writer, key, ...rest) => scalar.write(writer, read(String(key)), ...rest) };
}

function truthNamed(key: string): boolean | string {
  return key === 'true' || (key === 'false' ? false : key);
}

function numberNamed(key: string): number | string {
  return String(Number(key)) === key ? Number(key) : key;
}
