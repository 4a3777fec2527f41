/**
 * One segment of a pattern, between two slashes: a literal, a `prefix*suffix` glob (the star stands for any characters,
 * none included), `*` (exactly one segment that is not empty), or `**` (any number of segments, none included).
 */
export type Segment =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'glob'; readonly prefix: string; readonly suffix: string }
  | { readonly kind: 'one' }
  | { readonly kind: 'rest' };

/** Reads a segment; `undefined` when it has more stars than a segment may have. */
export function parseSegment(text: string): Segment | undefined {
  if (text === '**') return { kind: 'rest' };
  const parts = text.split('*');
  if (parts.length > 2) return;
  const [prefix = '', suffix] = parts;
  if (suffix === undefined) return { kind: 'literal', text };
  return prefix === '' && suffix === '' ? { kind: 'one' } : { kind: 'glob', prefix, suffix };
}
