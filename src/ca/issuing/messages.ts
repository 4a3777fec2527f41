import type { SentError } from '../../base/faults/sent-error.js';
import type { IssuedSvid } from '../issue-x509-svid.js';
import type { Signer, SvidOrder } from './order.js';
import type { Lane } from './queue.js';

// What the main thread and the threads that sign say to each other. Bytes of many values travel as one block of their own,
// which changes hands: a Buffer would take the whole pool that it lies in along.

export type ToThread =
  /** Who signs what follows. */
  | { readonly kind: 'signer'; readonly signer: Signer }
  | {
      readonly kind: 'orders';
      readonly id: number;
      readonly lane: Lane;
      readonly orders: readonly SentOrder[];
      readonly bytes: Uint8Array<ArrayBuffer>;
    };

/** With lengths in place of bytes; `now` in milliseconds since the Unix epoch. */
export type SentOrder = Omit<SvidOrder, 'csr'> & { readonly csr: number; readonly now: number };

/** What became of the orders that came with this `id`, in order. Small calls are answered before batches that came earlier. */
export interface FromThread {
  readonly id: number;
  readonly results: readonly (SentSvid | SentError)[];
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** With lengths in place of bytes. */
export type SentSvid = Omit<IssuedSvid, 'chain'> & {
  readonly kind: 'svid';
  readonly chain: readonly number[];
};

/** All parts, one after another, in memory of their own. */
export function packed(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Takes parts off the front, by their lengths. */
export function unpacker(bytes: Uint8Array): (length: number) => Uint8Array {
  let at = 0;
  return (length) => {
    at += length;
    return bytes.subarray(at - length, at);
  };
}
