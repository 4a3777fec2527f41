import { type DiagnosticDetails, diagnostic, type Report } from '../diagnostics/diagnostic.js';
import { mostSimilar } from '../diagnostics/similar.js';
import type { SourceRange } from '../source.js';
import type { ListTree, MapTree, Tree } from './tree.js';

/** Whether a field must be there, may be there, or is a word of a later version that is refused by name. */
export type FieldRule = 'required' | 'optional' | 'later';

/**
 * The fields of a mapping by name. What is not understood is refused, never ignored: unknown fields (POL0101), fields of
 * later versions (POL0105), missing ones (POL0102), and whatever is not a mapping (POL0103).
 */
export function readFields<K extends string>(
  tree: Tree,
  what: string,
  rules: Readonly<Record<K, FieldRule>>,
  report: Report,
): Partial<Record<K, Tree>> | undefined {
  const map = asMap(tree, what, report);
  if (!map) return;
  const fields: Partial<Record<K, Tree>> = {};
  for (const { key, keyAt, value } of map.entries) {
    if (!isKnown(key, rules)) reportUnknown(key, keyAt, what, Object.keys(rules), report);
    else if (rules[key] === 'later') report(diagnostic('POL0105', { field: key, what }, keyAt));
    else fields[key] = value;
  }
  for (const key of Object.keys(rules) as K[]) {
    if (rules[key] === 'required' && !map.entries.some((entry) => entry.key === key)) {
      report(diagnostic('POL0102', { what, field: key }, headOf(tree)));
    }
  }
  return fields;
}

export function asMap(tree: Tree, what: string, report: Report): MapTree | undefined {
  return tree.kind === 'map' ? tree : mistyped(tree, what, 'a mapping', report);
}

export function asList(tree: Tree, what: string, report: Report): ListTree | undefined {
  return tree.kind === 'list' ? tree : mistyped(tree, what, 'a list', report);
}

/** One value or a list of them; an empty list is refused (POL0116). */
export function oneOrMore(tree: Tree, what: string, report: Report): readonly Tree[] {
  if (tree.kind !== 'list') return [tree];
  if (tree.items.length === 0) report(diagnostic('POL0116', { what }, tree.at));
  return tree.items;
}

export function asText(tree: Tree | undefined, what: string, report: Report): string | undefined {
  if (tree === undefined) return;
  if (tree.kind === 'scalar' && typeof tree.value === 'string') return tree.value;
  return mistyped(tree, what, 'a text', report);
}

export function mistyped(
  tree: Tree,
  what: string,
  expected: string,
  report: Report,
  details?: DiagnosticDetails,
): undefined {
  report(diagnostic('POL0103', { what, expected, found: describe(tree) }, headOf(tree), details));
}

function isKnown<K extends string>(key: string, rules: Readonly<Record<K, FieldRule>>): key is K {
  return Object.hasOwn(rules, key);
}

function reportUnknown(key: string, at: SourceRange, what: string, known: string[], report: Report): void {
  const similar = mostSimilar(key, known);
  const helps =
    similar === undefined ? [`its fields are ${known.join(', ')}`] : [`did you mean \`${similar}\`?`];
  report(diagnostic('POL0101', { what, field: key }, at, { helps }));
}

function describe(tree: Tree): string {
  if (tree.kind === 'map') return 'a mapping';
  if (tree.kind === 'list') return 'a list';
  if (tree.value === null) return 'nothing';
  return typeof tree.value === 'string'
    ? `the text \`${tree.value}\``
    : `the ${typeof tree.value} ${tree.value}`;
}

/** The first line of what a tree covers: marks under more than that help nobody. */
export function headOf({ at }: Tree): SourceRange {
  const lineEnd = at.file.text.indexOf('\n', at.start);
  return lineEnd < 0 || lineEnd > at.end ? at : { ...at, end: Math.max(lineEnd, at.start + 1) };
}
