import { visible } from '../visible.js';
import { type FaultCode, type FaultParams, faultTable, type StatusName } from './table.js';

/**
 * The one error type of Plastron. Its `code` is a row of the fault table and a section of docs/errors.md;
 * `message` says what is wrong (with the values filled in), `hint` says the way out, `status` is what a gRPC caller sees.
 * Anything thrown that is not a Fault is a bug of ours and reaches callers as INTERNAL without its text.
 */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly code: FaultCode;
  readonly hint: string;
  readonly status: StatusName;
  /** The values of the placeholders: with the code all that it takes to make the same fault in another thread. */
  readonly params: Readonly<Record<string, string | number>>;
  /** A protobuf message for the gRPC status details, already packed by the room that knows it. */
  readonly detail: { typeUrl: string; value: Uint8Array } | undefined;

  constructor(code: FaultCode, params: Record<string, string | number>, options: FaultOptions = {}) {
    const row = faultTable[code];
    super(fillIn(row.sentence, params), options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.hint = fillIn(row.hint, params);
    this.status = row.status;
    this.params = params;
    this.detail = options.detail;
  }
}

export interface FaultOptions {
  /** What caused it: for the log, never for the caller. */
  cause?: unknown;
  detail?: { typeUrl: string; value: Uint8Array };
}

/** Makes a fault; the compiler insists on a value for every `{placeholder}` of its sentence and hint. */
export function fault<C extends FaultCode>(code: C, params: FaultParams<C>, options?: FaultOptions): Fault {
  return new Fault(code, params, options);
}

export function isFault(error: unknown, code?: FaultCode): boolean {
  return error instanceof Fault && (code === undefined || error.code === code);
}

function fillIn(template: string, params: Record<string, string | number>): string {
  return template.replace(/\{(\w+)\}/g, (_, key: string) => shown(String(params[key] ?? `{${key}}`)));
}

const maxShown = 2048;

/** Values come from anybody: no line breaks, terminal sequences or invisible characters, and no endless ones. */
function shown(value: string): string {
  return visible(value.length > maxShown ? `${value.slice(0, maxShown)}…` : value);
}
