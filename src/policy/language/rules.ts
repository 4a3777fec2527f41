import { diagnostic, type Report } from '../../base/diagnostics/diagnostic.js';
import { type Instant, parseInstant } from '../../base/instant.js';
import { asList, asText, readFields } from '../../base/yaml/fields.js';
import type { Tree } from '../../base/yaml/tree.js';
import { type CallerNames, readFrom } from './callers.js';
import type { Effect, Operation, Rule, Service } from './model.js';
import { isName, reportTwice } from './names.js';
import { readOperations } from './operations.js';
import type { PolicySections } from './policy-file.js';
import { readServiceNames } from './services.js';

/** What a rule or a test may refer to. */
export interface Names {
  readonly services: ReadonlyMap<string, Service>;
  readonly callers: CallerNames;
}

/** `rules:` of one file, in its order. */
export function readRules({ file, sections }: PolicySections, names: Names, report: Report): Rule[] {
  const list = sections.rules && asList(sections.rules, '`rules`', report);
  const rules = new Map<string, Rule>();
  for (const tree of list?.items ?? []) {
    const rule = readRule(tree, file.name, names, report);
    if (!rule) continue;
    const earlier = rules.get(rule.name);
    if (earlier) reportTwice(rule.name, rule.at, earlier.at, report);
    else rules.set(rule.name, rule);
  }
  return [...rules.values()];
}

const ruleFields = {
  name: 'required',
  from: 'required',
  to: 'required',
  allow: 'optional',
  deny: 'optional',
  until: 'optional',
  reason: 'optional',
  mode: 'later',
  headers: 'later',
  ports: 'later',
  sources: 'later',
  check: 'later',
} as const;

type RuleTrees = Partial<Record<keyof typeof ruleFields, Tree>>;

/** `undefined` when something is wrong with it, all of which has been reported. */
function readRule(tree: Tree, fileName: string, names: Names, report: Report): Rule | undefined {
  const fields: RuleTrees | undefined = readFields(tree, 'a rule', ruleFields, report);
  const name = asText(fields?.name, 'the `name` of a rule', report);
  const where = name === undefined ? 'a rule' : `the rule \`${name}\``;
  if (name !== undefined && fields?.name && !isName(name)) {
    report(diagnostic('POL0106', { what: 'a rule', name }, fields.name.at));
  }
  if (!fields) return;
  const effect = readEffect(fields, tree, where, report);
  const callers = fields.from ? readFrom(names.callers, fields.from, where, report) : [];
  const services = readServiceNames(fields.to, names.services, where, report);
  const validity = readUntil(fields, where, report);
  if (name === undefined || !fields.name || !fields.from || !effect) return;
  return {
    id: `${fileName}:${name}`,
    name,
    effect: effect.effect,
    callers,
    from: writtenTexts(fields.from),
    services,
    operations: effect.operations,
    ...validity,
    at: fields.name.at,
  };
}

function readEffect(
  fields: RuleTrees,
  rule: Tree,
  where: string,
  report: Report,
): { effect: Effect; operations: Operation[] } | undefined {
  const operations = {
    allow: fields.allow && readOperations(fields.allow, `\`allow\` of ${where}`, report),
    deny: fields.deny && readOperations(fields.deny, `\`deny\` of ${where}`, report),
  };
  if (operations.allow && !operations.deny) return { effect: 'allow', operations: operations.allow };
  if (operations.deny && !operations.allow) return { effect: 'deny', operations: operations.deny };
  const found = operations.allow ? 'both' : 'neither';
  report(diagnostic('POL0114', { where, found }, (fields.deny ?? fields.name ?? rule).at));
  return;
}

function readUntil(
  { until: tree, reason: reasonTree }: RuleTrees,
  where: string,
  report: Report,
): { until: Instant | undefined; reason: string | undefined } {
  const text = asText(tree, `\`until\` of ${where}`, report);
  const reason = asText(reasonTree, `\`reason\` of ${where}`, report);
  if (text === undefined || !tree) return { until: undefined, reason };
  const until = parseInstant(text);
  if (!until) report(diagnostic('POL0112', { text }, tree.at));
  if (!reasonTree || reason?.trim() === '') report(diagnostic('POL0113', { where }, tree.at));
  return { until, reason };
}

function writtenTexts(tree: Tree): string[] {
  const items = tree.kind === 'list' ? tree.items : [tree];
  return items.flatMap((item) => (item.kind === 'scalar' ? [String(item.value)] : []));
}
