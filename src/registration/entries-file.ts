import {
  type Diagnostic,
  diagnostic,
  hasErrors,
  type Report,
  sortDiagnostics,
} from '../base/diagnostics/diagnostic.js';
import type { SourceFile, SourceRange } from '../base/source.js';
import { asList, headOf, readFields } from '../base/yaml/fields.js';
import { parseYaml } from '../base/yaml/parse-yaml.js';
import type { Tree } from '../base/yaml/tree.js';
import { parseWorkloadId, type TrustDomain, trustDomainOf } from '../spiffe/id.js';
import { attempt, entryFieldRules, readEntryFields } from './entry-fields.js';
import { checkEntryName } from './entry-rules.js';
import { checkOwner, ownerPrefix, unnamedId } from './ownership.js';
import type { IdentifiedContent } from './plan.js';
import { similarityKey } from './similar.js';

export interface LoadedEntries {
  /** Present exactly if nothing is wrong. */
  readonly entries: readonly PlacedEntry[] | undefined;
  /** What the IDs of entries start with that belong to these files (`ownerPrefix`). */
  readonly prefixes: readonly string[];
  /** Sorted by position. */
  readonly diagnostics: readonly Diagnostic[];
}

export interface PlacedEntry {
  readonly content: IdentifiedContent;
  readonly at: SourceRange;
}

/** As many as a hundred thousand entries have. */
const maxCharacters = 1 << 24;

/**
 * Reads registration entries from YAML files, all of them as one list. Everything that is wrong is reported in one run, with
 * its place:
 *
 *     version: 1
 *     owner: shop-team               # optional; --prune deletes only what files of the same owner made
 *     entries:
 *       - name: web                  # optional; what identifies the entry when everything else of it changes
 *         spiffeId: spiffe://shop.example/web
 *         parentId: spiffe://shop.example/node/demo
 *         selectors: [unix:uid:1000, unix:path:/usr/bin/envoy]
 *         x509SvidTtl: 3600          # seconds; jwtSvidTtl, dnsNames, federatesWith, hint, default, admin, downstream, expiresAt
 *
 * Without a trust domain it is that of the first ID that is one.
 */
export function loadEntries(files: readonly SourceFile[], trustDomain?: TrustDomain): LoadedEntries {
  const diagnostics: Diagnostic[] = [];
  const report: Report = (found) => diagnostics.push(found);
  const sections = files.flatMap((file) => readSections(file, report) ?? []);
  const domain = trustDomain ?? firstTrustDomain(sections);
  const placed = sections.flatMap(({ prefix, entries }) =>
    entries.flatMap((tree) => {
      const content = readEntry(tree, prefix, domain, report);
      return content ? [{ content, at: headOf(tree) }] : [];
    }),
  );
  refuseTwice(placed, report);
  return {
    entries: hasErrors(diagnostics) ? undefined : placed,
    prefixes: [...new Set(sections.map(({ prefix }) => prefix))],
    diagnostics: sortDiagnostics(diagnostics),
  };
}

/**
 * Whether a file is one of entries and not one of a policy: `entries:` begins a line of it. Goes by the text, so that the
 * question has an answer for a file that is no YAML.
 */
export function isEntriesFile({ text }: SourceFile): boolean {
  return /^\ufeff?(["']?)entries\1[ \t]*:/m.test(text);
}

interface Sections {
  readonly prefix: string;
  readonly entries: readonly Tree[];
}

function readSections(file: SourceFile, report: Report): Sections | undefined {
  const tree = parseYaml(file, report, maxCharacters);
  const rules = { version: 'required', owner: 'optional', entries: 'required' } as const;
  const { version, owner, entries } = (tree && readFields(tree, 'a file of entries', rules, report)) ?? {};
  if (version && !(version.kind === 'scalar' && version.value === 1)) {
    const { start, end } = version.at;
    report(diagnostic('REG0301', { version: file.text.slice(start, end) }, version.at));
  }
  const prefix = owner
    ? attempt(report, owner.at, () => ownerPrefix(checkOwner(scalarText(owner))))
    : ownerPrefix();
  const items = entries && asList(entries, '`entries`', report)?.items;
  return items && prefix !== undefined ? { prefix, entries: items } : undefined;
}

function readEntry(
  tree: Tree,
  prefix: string,
  trustDomain: TrustDomain | undefined,
  report: Report,
): IdentifiedContent | undefined {
  const fields = readFields(tree, 'an entry', { name: 'optional', ...entryFieldRules }, report);
  const content = fields && readEntryFields(fields, trustDomain, report);
  const name = fields?.name;
  if (!name) return content && { ...content, id: unnamedId(prefix, content) };
  const id = attempt(report, name.at, () => checkEntryName(`${prefix}${scalarText(name)}`));
  return content && id !== undefined ? { ...content, id } : undefined;
}

function firstTrustDomain(sections: readonly Sections[]): TrustDomain | undefined {
  for (const tree of sections.flatMap(({ entries }) => entries)) {
    const fields = tree.kind === 'map' ? tree.entries : [];
    const id = fields.find(({ key }) => key === 'spiffeId');
    const domain =
      id &&
      attempt(
        () => {},
        id.value.at,
        () => trustDomainOf(parseWorkloadId(scalarText(id.value))),
      );
    if (domain !== undefined) return domain;
  }
  return undefined;
}

function scalarText(tree: Tree): string {
  return tree.kind === 'scalar' ? String(tree.value) : '';
}

/** Neither names nor entries may stand twice: which of the two would count? */
function refuseTwice(placed: readonly PlacedEntry[], report: Report): void {
  const seen = new Map<string, SourceRange>();
  for (const { content, at } of placed) {
    const keys = [similarityKey(content), content.id];
    const first = keys.map((key) => seen.get(key)).find((place) => place !== undefined);
    if (first)
      report(diagnostic('REG0302', {}, at, { related: [{ at: first, label: 'first written here' }] }));
    for (const key of keys) if (!seen.has(key)) seen.set(key, at);
  }
}
