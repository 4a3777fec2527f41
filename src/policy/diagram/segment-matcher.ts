import type { Segment } from '../language/segment.js';
import { fold, isPlain, type PathSymbol, symbolsOf, unfold } from './symbol.js';

/**
 * A set of segments as a small deterministic automaton over symbols, so that one definition serves to test a segment and to
 * enumerate the combinations that segments can be in.
 */
export interface SegmentMatcher {
  /** Equal keys, equal sets. */
  readonly key: string;
  /** If the set is one text, that text. */
  readonly only?: string;
  /** Starts at 0; `dead` when no continuation can match. */
  next(state: number, symbol: PathSymbol): number;
  accepts(state: number): boolean;
  /** Symbols that are treated otherwise than the rest in this state. */
  special(state: number): readonly PathSymbol[];
}

export const dead = -1;

export function matches(test: SegmentMatcher, segment: string): boolean {
  if (test.only !== undefined) return segment === test.only;
  let state = 0;
  for (const symbol of symbolsOf(segment)) {
    state = test.next(state, symbol);
    if (state === dead) return false;
  }
  return test.accepts(state);
}

/** The test of one pattern segment other than `**`. A folded one takes case and needless encodings for equal. */
export function segmentMatcher(segment: Exclude<Segment, { kind: 'rest' }>, folded: boolean): SegmentMatcher {
  if (segment.kind === 'one') return notEmpty;
  if (segment.kind === 'literal') return literalTest(segment.text, folded);
  return globTest(segment.prefix, segment.suffix, folded);
}

/** Exactly one segment, not empty. */
const notEmpty: SegmentMatcher = {
  key: '*',
  next: () => 1,
  accepts: (state) => state === 1,
  special: () => [],
};

/** The segment after a trailing slash. */
export const emptySegment: SegmentMatcher = literalTest('', false);

/** Neither empty nor plain: see `isPlain`; a segment that ends in a dot or a space is not plain either. */
export const notPlain: SegmentMatcher = {
  key: 'not plain',
  next: (state, symbol) => {
    if (state === 3 || !isPlain(symbol)) return 3;
    return symbol === '.' || symbol === '%20' ? 2 : 1;
  },
  accepts: (state) => state === 2 || state === 3,
  special: (state) => (state === 3 ? [] : [';', '.', '%20']),
};

/** Not empty and plain. */
export const plain: SegmentMatcher = {
  key: 'plain',
  next: (state, symbol) => {
    const next = notPlain.next(state, symbol);
    return next === 3 ? dead : next;
  },
  accepts: (state) => state === 1,
  special: notPlain.special,
};

function literalTest(text: string, folded: boolean): SegmentMatcher {
  const symbols = folded ? symbolsOf(text).map(fold) : symbolsOf(text);
  return {
    key: `${folded ? 'i' : ''}=${symbols.join('')}`,
    ...(folded ? {} : { only: text }),
    next: (state, symbol) => ((folded ? fold(symbol) : symbol) === symbols[state] ? state + 1 : dead),
    accepts: (state) => state === symbols.length,
    special: (state) => spellings(symbols.slice(state, state + 1), folded),
  };
}

/** States 0 to |prefix| are the prefix; from there, how much of the suffix the symbols so far end with (Knuth, Morris, Pratt). */
function globTest(prefixText: string, suffixText: string, folded: boolean): SegmentMatcher {
  const prefix = symbolsOf(prefixText).map((symbol) => (folded ? fold(symbol) : symbol));
  const suffix = symbolsOf(suffixText).map((symbol) => (folded ? fold(symbol) : symbol));
  const failures = failuresOf(suffix);
  const nextInSuffix = (matched: number, symbol: PathSymbol): number => {
    let length = matched === suffix.length ? (failures[matched] ?? 0) : matched;
    while (length > 0 && suffix[length] !== symbol) length = failures[length] ?? 0;
    return suffix[length] === symbol ? length + 1 : 0;
  };
  return {
    key: `${folded ? 'i' : ''}~${prefix.join('')}*${suffix.join('')}`,
    next: (state, symbol) => {
      const seen = folded ? fold(symbol) : symbol;
      if (state < prefix.length) return seen === prefix[state] ? state + 1 : dead;
      return prefix.length + nextInSuffix(state - prefix.length, seen);
    },
    accepts: (state) => state === prefix.length + suffix.length,
    special: (state) => spellings(state < prefix.length ? prefix.slice(state, state + 1) : suffix, folded),
  };
}

/** For every length, the longest proper border of the suffix's first so many symbols. */
function failuresOf(suffix: readonly PathSymbol[]): number[] {
  const failures = [0, 0];
  for (let length = 1; length < suffix.length; length++) {
    let border = failures[length] ?? 0;
    while (border > 0 && suffix[border] !== suffix[length]) border = failures[border] ?? 0;
    failures.push(suffix[border] === suffix[length] ? border + 1 : 0);
  }
  return failures;
}

function spellings(symbols: readonly PathSymbol[], folded: boolean): readonly PathSymbol[] {
  return folded ? symbols.flatMap(unfold) : symbols;
}
