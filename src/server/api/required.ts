import { fault } from '../../base/faults/fault.js';

/** A field that a request must have; empty counts as missing, as proto3 has it. Throws SRV0201. */
export function required<Value extends string | Uint8Array>(
  value: Value | undefined | null,
  field: string,
): Value {
  if (value === undefined || value === null || value.length === 0) throw fault('SRV0201', { field });
  return value;
}
