import { diagnostic, type Report } from '../../base/diagnostics/diagnostic.js';
import type { SourceRange } from '../../base/source.js';
import { asMap } from '../../base/yaml/fields.js';
import type { Tree } from '../../base/yaml/tree.js';
import type { PolicySections, Section } from './policy-file.js';

/** A name that a policy defines, and what it stands for, still as a tree. */
export interface Definition {
  readonly name: string;
  readonly nameAt: SourceRange;
  readonly value: Tree;
}

/**
 * What one section of all files defines, by name. A name that is defined twice, in whatever files, is an error with both
 * places; `taken` holds the names that another section has already given away.
 */
export function readDefinitions(
  files: readonly PolicySections[],
  section: Section,
  what: string,
  report: Report,
  taken: ReadonlyMap<string, SourceRange> = new Map(),
): Map<string, Definition> {
  const definitions = new Map<string, Definition>();
  for (const { sections } of files) {
    const tree = sections[section];
    const map = tree && asMap(tree, `\`${section}\``, report);
    for (const { key: name, keyAt: nameAt, value } of map?.entries ?? []) {
      const earlier = definitions.get(name)?.nameAt ?? taken.get(name);
      if (!isName(name)) report(diagnostic('POL0106', { what, name }, nameAt));
      else if (earlier) reportTwice(name, nameAt, earlier, report);
      else definitions.set(name, { name, nameAt, value });
    }
  }
  return definitions;
}

/** Names end up in the names of resources, rules and metrics. */
export function isName(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(text);
}

export function reportTwice(name: string, at: SourceRange, earlier: SourceRange, report: Report): void {
  report(diagnostic('POL0204', { name }, at, { related: [{ at: earlier, label: 'first defined here' }] }));
}
