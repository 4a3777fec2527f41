import { diagnostic, type Report } from '../../base/diagnostics/diagnostic.js';
import { didYouMean } from '../../base/diagnostics/similar.js';
import type { SourceRange } from '../../base/source.js';
import { asText, oneOrMore } from '../../base/yaml/fields.js';
import type { Tree } from '../../base/yaml/tree.js';
import type { CallerPattern } from './caller-pattern.js';
import type { Service } from './model.js';
import { type Definition, readDefinitions } from './names.js';
import type { PolicySections } from './policy-file.js';
import { readCallerPattern, type TrustDomainNames } from './read-caller-pattern.js';

/** Every name that may stand in `from`: callers, groups, and services under their own names. */
export interface CallerNames {
  readonly definitions: ReadonlyMap<string, Definition>;
  readonly resolved: Map<string, readonly CallerPattern[]>;
  /** The definitions that are being resolved, outermost first: to meet one again is a circle. */
  readonly open: Definition[];
  readonly trustDomains: TrustDomainNames;
}

/** `callers:`, names for patterns and for lists of patterns and names. */
export function readCallers(
  files: readonly PolicySections[],
  trustDomains: TrustDomainNames,
  services: ReadonlyMap<string, Service>,
  report: Report,
): CallerNames {
  const list = [...services.values()];
  const taken = new Map(list.map(({ name, at }) => [name, at]));
  const names: CallerNames = {
    definitions: readDefinitions(files, 'callers', 'a caller', report, taken),
    resolved: new Map(list.map(({ name, caller }) => [name, [caller]])),
    open: [],
    trustDomains,
  };
  for (const definition of names.definitions.values()) resolve(names, definition, report);
  return names;
}

/** `from:`, one caller or a list of them, each a name or a pattern; without repetitions. */
export function readFrom(names: CallerNames, tree: Tree, what: string, report: Report): CallerPattern[] {
  const patterns = new Map<string, CallerPattern>();
  for (const item of oneOrMore(tree, what, report)) {
    for (const pattern of readOne(names, item, what, report)) patterns.set(pattern.text, pattern);
  }
  return [...patterns.values()];
}

function readOne(names: CallerNames, item: Tree, what: string, report: Report): readonly CallerPattern[] {
  if (item.kind === 'map') {
    report(diagnostic('POL0105', { what, field: 'a caller by attributes' }, item.at));
    return [];
  }
  const text = asText(item, `a caller in ${what}`, report);
  if (text === undefined) return [];
  if (!text.includes(':')) return byName(names, text, item.at, what, report);
  const pattern = readCallerPattern(text, item.at, names.trustDomains, report);
  return pattern ? [pattern] : [];
}

function byName(
  names: CallerNames,
  name: string,
  at: SourceRange,
  what: string,
  report: Report,
): readonly CallerPattern[] {
  const known = names.resolved.get(name);
  if (known) return known;
  const definition = names.definitions.get(name);
  if (!definition) {
    const notes = ['an unknown caller never matches: nothing would be allowed to it, and nothing denied'];
    const similar = didYouMean(name, [...names.definitions.keys(), ...names.resolved.keys()]);
    report(diagnostic('POL0201', { what, name }, at, { label: 'nobody has this name', notes, ...similar }));
    return [];
  }
  const isCircle = names.open.includes(definition);
  if (!isCircle && names.open.length < maxNesting) return resolve(names, definition, report);
  const related = [{ at: definition.nameAt, label: 'defined here' }];
  report(
    isCircle
      ? diagnostic('POL0205', { name }, at, { related })
      : diagnostic('POL0208', { limit: maxNesting }, at, { related }),
  );
  return [];
}

/** Names are followed by recursion, which a long enough chain of them would break. */
const maxNesting = 32;

function resolve(names: CallerNames, definition: Definition, report: Report): readonly CallerPattern[] {
  const known = names.resolved.get(definition.name);
  if (known) return known;
  names.open.push(definition);
  const patterns = readFrom(names, definition.value, `the caller \`${definition.name}\``, report);
  names.open.pop();
  names.resolved.set(definition.name, patterns);
  return patterns;
}
