import type { Type } from 'protobufjs';
import { fault } from '../base/faults/fault.js';

/** Decodes bytes as a message; every field may be missing from the result. Throws WIR0301 for bytes that are no such message. */
export function decodeMessage(type: Type, bytes: Uint8Array): Record<string, unknown> {
  try {
    return type.toObject(type.decode(bytes), { longs: String, enums: String, bytes: Buffer, oneofs: true });
  } catch (cause) {
    throw fault('WIR0301', { type: type.fullName.slice(1) }, { cause });
  }
}
