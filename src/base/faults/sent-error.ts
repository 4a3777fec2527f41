import { Fault } from './fault.js';
import type { FaultCode } from './table.js';

/** An error on its way from one thread to another, where it would lose its class: the values that it is made of. */
export type SentError =
  | {
      readonly kind: 'fault';
      readonly code: FaultCode;
      readonly params: Readonly<Record<string, string | number>>;
      /** The text of the cause, for the log. */
      readonly cause: string;
    }
  | { readonly kind: 'bug'; readonly stack: string };

export function sentError(error: unknown): SentError {
  if (error instanceof Fault) {
    const cause = error.cause instanceof Error ? error.cause.message : '';
    return { kind: 'fault', code: error.code, params: error.params, cause };
  }
  return { kind: 'bug', stack: error instanceof Error ? String(error.stack) : String(error) };
}

/** The error again; a bug says that it happened in `thread`. */
export function receivedError(sent: SentError, thread: string): Error {
  if (sent.kind === 'bug') return new Error(`${thread} failed: ${sent.stack}`);
  return new Fault(sent.code, sent.params, sent.cause === '' ? {} : { cause: new Error(sent.cause) });
}
