import type { Json, JsonObject } from '../base/json.js';
import type { MessageIn } from '../wire/names.js';

type Struct = MessageIn<'google.protobuf.Struct'>;
type Value = MessageIn<'google.protobuf.Value'>;

/** JSON as `google.protobuf.Struct`, which has no integers: beyond 53 bits the nearest number is all that it can say. */
export function structOf(object: JsonObject): Struct {
  return { fields: Object.fromEntries([...object].map(([name, value]) => [name, valueFrom(value)])) };
}

function valueFrom(json: Json): Value {
  if (json === null) return { nullValue: 'NULL_VALUE' };
  if (typeof json === 'boolean') return { boolValue: json };
  if (typeof json === 'string') return { stringValue: json };
  if (typeof json === 'number' || typeof json === 'bigint') return { numberValue: Number(json) };
  if (json instanceof Map) return { structValue: structOf(json) };
  return { listValue: { values: (json as readonly Json[]).map(valueFrom) } };
}
