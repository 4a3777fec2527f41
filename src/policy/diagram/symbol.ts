/**
 * The letters of our automata: a character, or a whole percent-encoding (`%3B`), so that `%3B` is never taken for three
 * characters of which a pattern might match the last.
 */
export type PathSymbol = string;

/** Cuts a segment into symbols. A percent sign without two hexadecimal digits is a symbol of its own. */
export function symbolsOf(segment: string): PathSymbol[] {
  return segment.match(/%[0-9A-Fa-f]{2}|./gsu) ?? [];
}

/**
 * What a denied path treats as equal: upper and lower case, and a character and its percent-encoding where both may stand in
 * a path (Envoy keeps `%40` and `@` apart, applications rarely do).
 */
export function fold(symbol: PathSymbol): PathSymbol {
  return symbol.length === 3 && foldable.has(symbol.toUpperCase())
    ? String.fromCharCode(Number.parseInt(symbol.slice(1), 16))
    : symbol.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** Every symbol that folds to `folded`. */
export function unfold(folded: PathSymbol): PathSymbol[] {
  return [
    ...new Set(spellingsOf(folded).flatMap((symbol) => [symbol, symbol.toLowerCase(), symbol.toUpperCase()])),
  ];
}

/** The symbols that fold to `folded`, but for the case of letters. */
export function spellingsOf(folded: PathSymbol): PathSymbol[] {
  const encoded = percentEncoded(folded);
  return folded.length === 1 && foldable.has(encoded) ? [folded, encoded] : [folded];
}

/** `!$&'()*+,:=@[]`: what a path may hold both as it is and encoded, without another meaning. */
const foldable = new Set([..."!$&'()*+,:=@[]"].map(percentEncoded));

export function percentEncoded(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

/**
 * Whether every server reads the symbol in the same way. Not `;` (path parameters), not a lone `%`, not the encodings of
 * control characters, of `%`, `;`, `?`, `#`, `/`, `\`, and of what needs none; and nothing that Envoy would have encoded.
 */
export function isPlain(symbol: PathSymbol): boolean {
  if (symbol.length === 1) return /[A-Za-z0-9\-._~!$&'()*+,=:@[\]]/.test(symbol);
  return (
    symbol.length === 3 &&
    !/^%(?:[01].|7f|2[35f]|3[bf]|5c|2[de]|3[0-9]|4[1-9a-f]|5[0-9af]|6[1-9a-f]|7[0-9ae])$/i.test(symbol)
  );
}
