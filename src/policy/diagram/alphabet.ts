import { isPlain, type PathSymbol, percentEncoded } from './symbol.js';

/** What segments may be made of, so that every witness can really be sent. */
export interface Alphabet {
  readonly allows: (symbol: PathSymbol) => boolean;
  /** Symbols that no pattern need mention, the nicest first. */
  readonly ordinary: readonly PathSymbol[];
  readonly emptySegments: boolean;
}

const ordinary = [...'xyzabcdefghijklmnopqrstuvwXYZABCDEFGHIJKLMNOPQRSTUVW0123456789_-'];

/** The segments of SPIFFE IDs (SPIFFE-ID §2.2). */
export const callerAlphabet: Alphabet = {
  allows: (symbol) => /^[A-Za-z0-9._-]$/.test(symbol),
  ordinary,
  emptySegments: false,
};

/** The segments of paths as Envoy passes them on: see `canonicalPath`. */
export const pathAlphabet: Alphabet = {
  allows: (symbol) => isPlain(symbol) || symbol === ';' || allowedEncodings.has(symbol),
  ordinary,
  emptySegments: true,
};

/** Not plain, and passed on by Envoy all the same. */
const allowedEncodings = new Set([...'#%;?'].map(percentEncoded));

/** Where a segment stands on the way to being `.` or `..`, which no witness may be; `..;x` counts as `..`. */
export function dotState(state: number, symbol: PathSymbol): number {
  if (state === dotsOnly || state === legal) return state;
  if (symbol === '.') return state + 1 > 2 ? legal : state + 1;
  return symbol === ';' && state > 0 ? dotsOnly : legal;
}

export function isLegalEnd(state: number, alphabet: Alphabet): boolean {
  return state === legal || (state === 0 && alphabet.emptySegments);
}

const legal = 3;
const dotsOnly = 4;
