import type { Json } from './json.js';

/** What lies below `value` by these names of members; `undefined` when there is nothing. */
export function jsonAt(value: Json | undefined, ...path: string[]): Json | undefined {
  return path.reduce<Json | undefined>(
    (inner, name) => (inner instanceof Map ? inner.get(name) : undefined),
    value,
  );
}

/** The text at that place; empty when there is none. */
export function textAt(value: Json | undefined, ...path: string[]): string {
  const text = jsonAt(value, ...path);
  return typeof text === 'string' ? text : '';
}

/** The members of the array at that place; none when there is no array. */
export function listAt(value: Json | undefined, ...path: string[]): readonly Json[] {
  const list = jsonAt(value, ...path);
  return Array.isArray(list) ? list : [];
}

/** The members of the object at that place that are texts, by name. */
export function textsAt(value: Json | undefined, ...path: string[]): [name: string, text: string][] {
  const object = jsonAt(value, ...path);
  const members: [string, Json][] = object instanceof Map ? [...object] : [];
  return members.flatMap(([name, text]) => (typeof text === 'string' ? [[name, text]] : []));
}
