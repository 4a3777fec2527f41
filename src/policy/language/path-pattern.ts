import { canonicalPath } from './canonical-path.js';
import { parseSegment, type Segment } from './segment.js';

/** The paths that a rule speaks of. A trailing `/` is a last segment that is empty. */
export interface PathPattern {
  /** As written, which is its canonical form. */
  readonly text: string;
  readonly segments: readonly Segment[];
}

export interface BadPath {
  readonly reason: string;
  /** What was most likely meant, where that can be said. */
  readonly suggestion?: string;
}

const maxLength = 1024;

/** Reads a path pattern, which must be written as Envoy would write the paths that it means: anything else could never match. */
export function parsePathPattern(text: string): PathPattern | BadPath {
  if (text.length > maxLength) return { reason: `it has more than ${maxLength} characters` };
  const template = text.replace(/\{[^/{}]*\}/g, '*');
  if (template !== text) {
    return { reason: 'braces are not placeholders here', ...suggest(template) };
  }
  const canonical = canonicalPath(text);
  if ('reason' in canonical) return canonical;
  if (canonical.path !== text) return { reason: canonical.change, ...suggest(canonical.path) };
  const segments: Segment[] = [];
  for (const part of text.slice(1).split('/')) {
    const segment = parseSegment(part);
    if (!segment) return { reason: `the segment \`${part}\` has more than one star` };
    if (segment.kind === 'rest' && segments.at(-1)?.kind === 'rest') {
      return { reason: '`**` stands twice in a row', suggestion: text.replaceAll(/(?:\/\*\*)+/g, '/**') };
    }
    segments.push(segment);
  }
  return { text, segments };
}

/** A suggestion is given only if it would be accepted. */
function suggest(path: string): { suggestion?: string } {
  const canonical = canonicalPath(path);
  return 'reason' in canonical ? {} : { suggestion: canonical.path };
}
