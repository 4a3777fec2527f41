import {
  type Diagnostic,
  diagnostic,
  hasErrors,
  type Report,
  sortDiagnostics,
} from '../base/diagnostics/diagnostic.js';
import type { SourceFile, SourceRange } from '../base/source.js';
import { asList, readFields } from '../base/yaml/fields.js';
import { parseYaml } from '../base/yaml/parse-yaml.js';
import type { Tree } from '../base/yaml/tree.js';
import type { TrustDomain } from '../spiffe/id.js';
import type { EntryDraft } from './entry.js';
import { attempt, entryFieldRules, readEntryFields } from './entry-fields.js';
import { checkEntryName } from './entry-rules.js';
import { appliedPrefix, similarityKey } from './plan.js';

export interface LoadedEntries {
  /** Present exactly if nothing is wrong. */
  readonly entries: readonly EntryDraft[] | undefined;
  /** Sorted by position. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads registration entries from YAML files, all of them as one list. Everything that is wrong is reported in one run, with
 * its place:
 *
 *     version: 1
 *     entries:
 *       - name: web                  # optional; what identifies the entry when everything else of it changes
 *         spiffeId: spiffe://shop.example/web
 *         parentId: spiffe://shop.example/node/demo
 *         selectors: [unix:uid:1000, unix:path:/usr/bin/envoy]
 *         x509SvidTtl: 3600          # seconds; jwtSvidTtl, dnsNames, federatesWith, hint, admin, downstream, expiresAt
 */
export function loadEntries(files: readonly SourceFile[], trustDomain: TrustDomain): LoadedEntries {
  const diagnostics: Diagnostic[] = [];
  const report: Report = (found) => diagnostics.push(found);
  const placed = files
    .flatMap((file) => entryTrees(file, report))
    .flatMap((tree) => {
      const draft = readEntry(tree, trustDomain, report);
      return draft ? [{ draft, at: firstLineOf(tree.at) }] : [];
    });
  refuseTwice(placed, report);
  return {
    entries: hasErrors(diagnostics) ? undefined : placed.map(({ draft }) => draft),
    diagnostics: sortDiagnostics(diagnostics),
  };
}

function entryTrees(file: SourceFile, report: Report): readonly Tree[] {
  const tree = parseYaml(file, report);
  const rules = { version: 'required', entries: 'required' } as const;
  const sections = tree && readFields(tree, 'a file of entries', rules, report);
  const { version, entries } = sections ?? {};
  if (version && !(version.kind === 'scalar' && version.value === 1)) {
    const { start, end } = version.at;
    report(diagnostic('REG0301', { version: file.text.slice(start, end) }, version.at));
  }
  return (entries && asList(entries, '`entries`', report)?.items) ?? [];
}

function readEntry(tree: Tree, trustDomain: TrustDomain, report: Report): EntryDraft | undefined {
  const fields = readFields(tree, 'an entry', { name: 'optional', ...entryFieldRules }, report);
  const name = fields?.name;
  const content = fields && readEntryFields(fields, trustDomain, report);
  if (!name) return content;
  const id = attempt(report, name.at, () => {
    const text = name.kind === 'scalar' ? String(name.value) : '';
    return checkEntryName(`${appliedPrefix}${text}`);
  });
  return content && id !== undefined ? { ...content, id } : undefined;
}

/** Neither names nor entries may stand twice: which of the two would count? */
function refuseTwice(placed: readonly { draft: EntryDraft; at: SourceRange }[], report: Report): void {
  const seen = new Map<string, SourceRange>();
  for (const { draft, at } of placed) {
    const keys = [similarityKey(draft), ...(draft.id === undefined ? [] : [draft.id])];
    const first = keys.map((key) => seen.get(key)).find((place) => place !== undefined);
    if (first)
      report(diagnostic('REG0302', {}, at, { related: [{ at: first, label: 'first written here' }] }));
    for (const key of keys) if (!seen.has(key)) seen.set(key, at);
  }
}

function firstLineOf(at: SourceRange): SourceRange {
  const lineEnd = at.file.text.indexOf('\n', at.start);
  return lineEnd < 0 || lineEnd > at.end ? at : { ...at, end: lineEnd };
}
