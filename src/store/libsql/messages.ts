import type { SentError } from '../../base/faults/sent-error.js';
import type { UnitCall } from '../units.js';

// What the main thread and the thread that owns the database say to each other.

/** What the thread is started with. */
export interface WorkerStart {
  /** Of the database file. */
  readonly path: string;
  readonly trustDomain: string;
}

export type ToWorker =
  | ({ readonly kind: 'call'; readonly id: number } & UnitCall)
  /** Copies the database into a file that is not there yet. */
  | { readonly kind: 'snapshot'; readonly id: number; readonly path: string }
  | { readonly kind: 'close' };

export type FromWorker =
  | { readonly kind: 'open' }
  | { readonly kind: 'refused'; readonly error: SentError }
  | { readonly kind: 'done'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly error: SentError };
