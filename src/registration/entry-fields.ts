import { diagnostic, diagnosticOf, type Report } from '../base/diagnostics/diagnostic.js';
import { Fault } from '../base/faults/fault.js';
import { parseInstant } from '../base/instant.js';
import type { SourceRange } from '../base/source.js';
import { asText, type FieldRule, mistyped, oneOrMore } from '../base/yaml/fields.js';
import type { Tree } from '../base/yaml/tree.js';
import { parseWorkloadId, type TrustDomain, trustDomainOf } from '../spiffe/id.js';
import { defaultHint, type EntryContent, type Selector } from './entry.js';
import {
  checkDnsName,
  checkEntryId,
  checkExpiry,
  checkFederatesWith,
  checkHint,
  checkParentId,
  checkSelectors,
  checkStoreSvid,
  checkTtl,
} from './entry-rules.js';
import { parseSelector } from './selector.js';

/** The fields of an entry in a file: what it says, and the mark of the default identity. */
export const entryFieldRules = {
  spiffeId: 'required',
  parentId: 'required',
  selectors: 'required',
  x509SvidTtl: 'optional',
  jwtSvidTtl: 'optional',
  dnsNames: 'optional',
  federatesWith: 'optional',
  admin: 'optional',
  downstream: 'optional',
  hint: 'optional',
  storeSvid: 'optional',
  disableX509SvidPrefetch: 'optional',
  jwtSvidIncludeJti: 'optional',
  expiresAt: 'optional',
  default: 'optional',
} as const satisfies Record<keyof EntryContent | 'default', FieldRule>;

type FieldTrees = Partial<Record<keyof typeof entryFieldRules, Tree>>;

/**
 * Reads the fields of one entry, each by its own rule; `undefined` when one of them cannot be had. Without a trust domain IDs
 * of every one are taken.
 */
export function readEntryFields(
  fields: FieldTrees,
  trustDomain: TrustDomain | undefined,
  report: Report,
): EntryContent | undefined {
  const read = readers(report);
  const domainFor = (id: string) => trustDomain ?? trustDomainOf(parseWorkloadId(id));
  const spiffeId = read.text(fields.spiffeId, 'spiffeId', (text) => checkEntryId(text, domainFor(text)));
  const parentId = read.text(fields.parentId, 'parentId', (text) => checkParentId(text, domainFor(text)));
  const selectors = read.texts(fields.selectors, 'selectors', parseSelector);
  const rest = {
    x509SvidTtl: read.number(fields.x509SvidTtl, 'x509SvidTtl', checkTtl) ?? 0,
    jwtSvidTtl: read.number(fields.jwtSvidTtl, 'jwtSvidTtl', checkTtl) ?? 0,
    dnsNames: read.texts(fields.dnsNames, 'dnsNames', checkDnsName),
    federatesWith: read
      .texts(fields.federatesWith, 'federatesWith', (text) => checkFederatesWith(text, trustDomain))
      .sort(),
    admin: read.flag(fields.admin, 'admin'),
    downstream: read.flag(fields.downstream, 'downstream'),
    hint: readHint(fields, report),
    storeSvid: readStoreSvid(fields.storeSvid, selectors, report),
    disableX509SvidPrefetch: read.flag(fields.disableX509SvidPrefetch, 'disableX509SvidPrefetch'),
    jwtSvidIncludeJti: read.flag(fields.jwtSvidIncludeJti, 'jwtSvidIncludeJti'),
    expiresAt: read.time(fields.expiresAt, 'expiresAt') ?? 0,
  };
  if (spiffeId === undefined || parentId === undefined || selectors.length === 0) return undefined;
  return { spiffeId, parentId, selectors: checkSelectors(selectors), ...rest };
}

/** The hint is also the mark of the default identity, so an entry has one or the other. */
function readHint(fields: FieldTrees, report: Report): string {
  const read = readers(report);
  const hint = read.text(fields.hint, 'hint', checkHint) ?? '';
  if (!read.flag(fields.default, 'default')) return hint;
  if (fields.hint && hint !== defaultHint) {
    const related = fields.default ? [{ at: fields.default.at, label: 'the default identity' }] : [];
    report(diagnostic('REG0211', { hint }, fields.hint.at, { related }));
  }
  return defaultHint;
}

function readStoreSvid(tree: Tree | undefined, selectors: readonly Selector[], report: Report): boolean {
  const storeSvid = readers(report).flag(tree, 'storeSvid');
  if (tree) attempt(report, tree.at, () => checkStoreSvid(storeSvid, selectors));
  return storeSvid;
}

function readers(report: Report) {
  const one = <Value>(tree: Tree, field: string, check: (text: string) => Value): Value | undefined => {
    const text = asText(tree, `\`${field}\``, report);
    return text === undefined ? undefined : attempt(report, tree.at, () => check(text));
  };
  return {
    text: <Value>(tree: Tree | undefined, field: string, check: (text: string) => Value) =>
      tree && one(tree, field, check),
    texts: <Value>(tree: Tree | undefined, field: string, check: (text: string) => Value): Value[] => {
      const items = tree ? oneOrMore(tree, `\`${field}\``, report) : [];
      const values = items.map((item) => one(item, field, check)).filter((value) => value !== undefined);
      return [...new Set(values)];
    },
    number: (tree: Tree | undefined, field: string, check: (value: number) => number) => {
      if (!tree) return undefined;
      if (tree.kind !== 'scalar' || typeof tree.value !== 'number') {
        return mistyped(tree, `\`${field}\``, 'a number', report);
      }
      const { value } = tree;
      return attempt(report, tree.at, () => check(value));
    },
    /** Seconds since the Unix epoch, written as such or as an instant. */
    time: (tree: Tree | undefined, field: string) => {
      if (!tree) return undefined;
      const value = tree.kind === 'scalar' ? tree.value : undefined;
      if (typeof value === 'number') return attempt(report, tree.at, () => checkExpiry(value));
      const instant = typeof value === 'string' ? parseInstant(value) : undefined;
      return instant
        ? instant.ms / 1000
        : mistyped(tree, `\`${field}\``, 'an instant such as 2027-01-31T18:00:00Z', report);
    },
    flag: (tree: Tree | undefined, field: string): boolean => {
      if (!tree) return false;
      if (tree.kind === 'scalar' && typeof tree.value === 'boolean') return tree.value;
      mistyped(tree, `\`${field}\``, '`true` or `false`', report);
      return false;
    },
  };
}

/** What `read` gives, or a diagnostic at the place that it was read from. */
export function attempt<Value>(report: Report, at: SourceRange, read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    report(diagnosticOf(error, at));
    return undefined;
  }
}
