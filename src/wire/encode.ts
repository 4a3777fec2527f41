import protobuf, { type Type, type Writer } from 'protobufjs';
import { fault } from '../base/faults/fault.js';
import { describePlace, type Place } from './place.js';
import { type FieldPlan, isMessage, type MessagePlan, type MessageValue, planOf } from './plan.js';
import { type Element, wrongKind } from './scalars.js';
import { isKnownMessage, messageType } from './schema.js';

/** Encodes a value as a message, strictly and canonically (`encode` in messages.ts says what that means). */
export function encodeMessage(type: Type, value: unknown): Buffer {
  const plan = planOf(type);
  const writer = protobuf.Writer.create();
  writeMessage(writer, plan, value, { steps: [plan.name], depth: 0 });
  // In Node the writer is protobufjs's BufferWriter, whose `finish` gives a Buffer.
  return writer.finish() as Buffer;
}

// What protobuf implementations, Envoy's among them, read at most.
const maxDepth = 100;

type Values = Readonly<Record<string, unknown>>;

function writeMessage(writer: Writer, plan: MessagePlan, value: unknown, place: Place): void {
  if (!isPlainObject(value)) throw wrongKind(`a ${plan.name} message`, value, place);
  if (++place.depth > maxDepth) throw fault('WIR0109', { path: describePlace(place), max: maxDepth });
  if (plan.name === 'google.protobuf.Any') writeAny(writer, plan, value, place);
  else writeFields(writer, plan, value, place);
  place.depth--;
}

function writeFields(writer: Writer, plan: MessagePlan, value: Values, place: Place): void {
  for (const field of presentFields(plan, value, place)) writeField(writer, field, value[field.name], place);
}

/** The fields that the value sets, by number. Refuses names that are no fields, and two arms of one oneof. */
function presentFields(plan: MessagePlan, value: Values, place: Place): FieldPlan[] {
  const present: FieldPlan[] = [];
  let highest = 0;
  let isSorted = true;
  for (const name of Object.keys(value)) {
    if (value[name] === undefined) continue;
    const field = plan.fields.get(name);
    if (field === undefined) {
      if (plan.oneofs.has(name)) continue;
      throw unknownField(plan, name, place);
    }
    present.push(field);
    isSorted &&= field.number > highest;
    highest = field.number;
  }
  if (plan.oneofs.size > 0) checkArmNames(plan, value, armsOf(present, place), place);
  for (const rule of plan.rules) rule(value, place);
  return isSorted ? present : present.sort((a, b) => a.number - b.number);
}

/** The arm that is set, by oneof. */
function armsOf(present: readonly FieldPlan[], place: Place): Map<string, string> {
  const arms = new Map<string, string>();
  for (const { name, oneof } of present) {
    if (oneof === undefined) continue;
    const other = arms.get(oneof);
    if (other !== undefined) {
      throw fault('WIR0104', { path: describePlace(place), first: other, second: name, oneof });
    }
    arms.set(oneof, name);
  }
  return arms;
}

/** A decoded message also says which arm of each oneof is set; if a value says so, it must be true. */
function checkArmNames(plan: MessagePlan, value: Values, arms: Map<string, string>, place: Place): void {
  for (const oneof of plan.oneofs) {
    const named = value[oneof];
    if (named === undefined || named === arms.get(oneof)) continue;
    throw fault('WIR0105', { path: describePlace(place), oneof, named: String(named) });
  }
}

function writeField(writer: Writer, field: FieldPlan, value: unknown, place: Place): void {
  place.steps.push(field.step);
  if (field.shape === 'one') writeTagged(writer, field.value, field.number, value, place, field.hasPresence);
  else if (field.shape === 'map') writeMap(writer, field, value, place);
  else writeList(writer, field, value, place);
  place.steps.pop();
}

/** Writes one value under a number: the field's own, or that of a map entry's value. */
function writeTagged(
  writer: Writer,
  type: Element | MessageValue,
  number: number,
  value: unknown,
  place: Place,
  keepZero: boolean,
): void {
  if (!isMessage(type)) {
    type.write(writer, value, place, tagOf(number, type.wireType), keepZero);
    return;
  }
  writer.uint32(tagOf(number, 2)).fork();
  writeMessage(writer, type.plan(), value, place);
  writer.ldelim();
}

function writeList(writer: Writer, field: FieldPlan, value: unknown, place: Place): void {
  if (!Array.isArray(value)) throw wrongKind('a list', value, place);
  if (value.length === 0) return;
  const packed = field.shape === 'packed' && !isMessage(field.value) ? field.value : undefined;
  if (packed) writer.uint32(tagOf(field.number, 2)).fork();
  // By index: a list with a hole must be refused, and `forEach` would pass over it.
  for (let index = 0; index < value.length; index++) {
    place.steps.push(index);
    if (packed) packed.write(writer, value[index], place, undefined, true);
    else writeTagged(writer, field.value, field.number, value[index], place, true);
    place.steps.pop();
  }
  if (packed) writer.ldelim();
}

function writeMap(writer: Writer, field: FieldPlan, value: unknown, place: Place): void {
  if (!isPlainObject(value)) throw wrongKind('a map (a plain object)', value, place);
  for (const key of Object.keys(value).sort()) {
    place.steps.push(`[${key}]`);
    writer.uint32(tagOf(field.number, 2)).fork();
    field.key?.write(writer, key, place, tagOf(1, field.key.wireType), true);
    writeTagged(writer, field.value, 2, value[key], place, true);
    writer.ldelim();
    place.steps.pop();
  }
}

/** An Any is either packed already (`type_url`, `value`) or a message with its type beside its fields (`@type`). */
function writeAny(writer: Writer, plan: MessagePlan, value: Values, place: Place): void {
  const { '@type': url = value.type_url, ...fields } = value;
  if (typeof url !== 'string') throw wrongKind('an Any with its type in type_url or @type', url, place);
  const name = /^type\.googleapis\.com\/([\w.]+)$/.exec(url)?.[1];
  if (name === undefined || !isKnownMessage(name))
    throw fault('WIR0108', { path: describePlace(place), url });
  let packed: Values = value;
  if (Object.hasOwn(value, '@type')) {
    const inner = protobuf.Writer.create();
    // Readers take the bytes inside for a message of its own, and count its depth from its top.
    writeMessage(inner, planOf(messageType(name)), fields, {
      steps: [...place.steps, `(${name})`],
      depth: 0,
    });
    packed = { type_url: url, value: inner.finish() };
  }
  writeFields(writer, plan, packed, place);
}

function unknownField(plan: MessagePlan, field: string, place: Place): Error {
  const fields = [...plan.fields.keys()].join(', ');
  return fault('WIR0102', { path: describePlace(place), field, type: plan.name, fields });
}

function isPlainObject(value: unknown): value is Values {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function tagOf(number: number, wireType: number): number {
  return ((number << 3) | wireType) >>> 0;
}
