import { diagnostic, type Report } from '../../base/diagnostics/diagnostic.js';
import { didYouMean } from '../../base/diagnostics/similar.js';
import { type Instant, parseInstant } from '../../base/instant.js';
import { asList, asText, mistyped, readFields } from '../../base/yaml/fields.js';
import type { Tree } from '../../base/yaml/tree.js';
import type { SpiffeId } from '../../spiffe/id.js';
import { readFrom } from './callers.js';
import { canonicalPath } from './canonical-path.js';
import { anyMethod } from './method.js';
import type { Effect, PolicyTest, Rule } from './model.js';
import { readWords, reportPath } from './operations.js';
import type { PolicySections } from './policy-file.js';
import type { Names } from './rules.js';
import { readServiceNames } from './services.js';

const testFields = {
  from: 'required',
  call: 'required',
  to: 'required',
  expect: 'required',
  by: 'optional',
  at: 'optional',
  never: 'later',
  always: 'later',
  headers: 'later',
} as const;

/** `tests:` of one file. `rules` are those of all files. */
export function readTests(
  { file, sections }: PolicySections,
  names: Names,
  rules: readonly Rule[],
  report: Report,
): PolicyTest[] {
  const list = sections.tests && asList(sections.tests, '`tests`', report);
  return (list?.items ?? []).flatMap((tree) => {
    const fields = readFields(tree, 'a test', testFields, report);
    if (!fields) return [];
    const caller = readCaller(fields.from, names, report);
    const call = readCall(fields.call, report);
    const [service, another] = readServiceNames(fields.to, names.services, 'a test', report);
    if (another !== undefined && fields.to) mistyped(fields.to, 'the `to` of a test', 'one service', report);
    const expect = readExpect(fields.expect, report);
    const by = readBy(fields.by, file.name, rules, report);
    const atInstant = readAt(fields.at, report);
    if (!caller || !call || service === undefined || !expect) return [];
    return [{ caller, service, ...call, expect, by, atInstant, at: tree.at }];
  });
}

/** A test is about one caller, so that it says what happens to a request and not to some of many. */
function readCaller(tree: Tree | undefined, names: Names, report: Report): SpiffeId | undefined {
  if (!tree) return;
  const patterns = readFrom(names.callers, tree, 'a test', report);
  const [only, another] = patterns;
  if (only?.exact !== undefined && !another) return only.exact;
  if (only) report(diagnostic('POL0117', {}, tree.at));
  return;
}

function readCall(tree: Tree | undefined, report: Report): { method: string; path: string } | undefined {
  const text = asText(tree, 'the `call` of a test', report);
  const words = tree && text !== undefined ? readWords(text, tree.at, report) : undefined;
  if (!words) return;
  const { method, path, pathAt } = words;
  const canonical = canonicalPath(path);
  if (method === anyMethod || path.includes('*'))
    report(diagnostic('POL0118', { call: `${method} ${path}` }, pathAt));
  else if ('reason' in canonical) reportPath(path, canonical, pathAt, report);
  else if (canonical.path !== path) {
    reportPath(path, { reason: canonical.change, suggestion: canonical.path }, pathAt, report);
  } else return { method, path };
  return;
}

function readExpect(tree: Tree | undefined, report: Report): Effect | undefined {
  const text = asText(tree, 'the `expect` of a test', report);
  if (text === undefined || !tree) return;
  return text === 'allow' || text === 'deny'
    ? text
    : mistyped(tree, 'the `expect` of a test', '`allow` or `deny`', report);
}

/** `web-reads` means the rule of that name in the same file, else the only one of that name in all files. */
function readBy(
  tree: Tree | undefined,
  fileName: string,
  rules: readonly Rule[],
  report: Report,
): string | undefined {
  const text = asText(tree, 'the `by` of a test', report);
  if (text === undefined || !tree || text === 'default-deny') return text;
  const here = rules.find(({ id }) => id === text || id === `${fileName}:${text}`);
  const named = rules.filter(({ name }) => name === text);
  if (here ?? named.length === 1) return (here ?? named[0])?.id;
  report(
    diagnostic(
      'POL0206',
      { name: text },
      tree.at,
      didYouMean(
        text,
        rules.map(({ name }) => name),
      ),
    ),
  );
  return;
}

function readAt(tree: Tree | undefined, report: Report): Instant | undefined {
  const text = asText(tree, 'the `at` of a test', report);
  const instant = text === undefined ? undefined : parseInstant(text);
  if (tree && text !== undefined && !instant) report(diagnostic('POL0112', { text }, tree.at));
  return instant;
}
