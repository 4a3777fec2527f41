/**
 * Text that somebody else wrote, made safe to print: control characters, line separators, invisible and direction-changing
 * characters (general categories C*, Zl, Zp) become `\u{...}`, so that nothing can move a cursor or reorder a line.
 */
export function visible(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${hexOf(character)}}`);
}

/** How many columns a terminal uses for it: wide East Asian characters take two, combining marks none. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) {
    if (/\p{M}/u.test(character)) continue;
    columns += wide.test(character) ? 2 : 1;
  }
  return columns;
}

// The blocks whose characters are East Asian Wide or Fullwidth (Unicode Standard Annex 11), and emoji shown as pictures.
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/u;

function hexOf(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16);
}
