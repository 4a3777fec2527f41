import {
  type Diagnostic,
  diagnostic,
  hasErrors,
  type Report,
  sortDiagnostics,
} from '../../base/diagnostics/diagnostic.js';
import type { SourceFile, SourceRange } from '../../base/source.js';
import { readFields } from '../../base/yaml/fields.js';
import { parseYaml } from '../../base/yaml/parse-yaml.js';
import type { Tree } from '../../base/yaml/tree.js';
import { readCallers } from './callers.js';
import { lintPolicy } from './lint.js';
import type { Policy, PolicyTest, Rule } from './model.js';
import type { PolicyFile, PolicySections } from './policy-file.js';
import { readTests } from './policy-tests.js';
import { readRules } from './rules.js';
import { readServices } from './services.js';
import { readTrustDomains } from './trust-domains.js';

export interface LoadedPolicy {
  /** Present exactly if no diagnostic is an error. */
  readonly policy: Policy | undefined;
  /** Sorted by position. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads all files of a policy as one policy: names are shared between them. Everything that is wrong is reported in one run.
 * `atMs` (milliseconds) only decides which warnings are given: what is a policy today is one tomorrow.
 */
export function loadPolicy(files: readonly PolicyFile[], atMs: number): LoadedPolicy {
  const diagnostics: Diagnostic[] = [];
  const parsed = readFiles(files, (found) => diagnostics.push(found));
  const incomplete = hasErrors(diagnostics);
  const report: Report = (found) => {
    // Names that an unreadable file may define are not called unknown.
    if (!(incomplete && found.code.startsWith('POL02'))) diagnostics.push(found);
  };
  const policy = readPolicy(parsed, report);
  if (!hasErrors(diagnostics)) lintPolicy(policy, atMs, report);
  return {
    policy: hasErrors(diagnostics) ? undefined : policy,
    diagnostics: sortDiagnostics(diagnostics),
  };
}

function readPolicy(files: readonly PolicySections[], report: Report): Policy {
  const trustDomains = readTrustDomains(files, report);
  const services = readServices(files, trustDomains, report);
  const callers = readCallers(files, trustDomains, services, report);
  const names = { services, callers };
  const rules: Rule[] = files.flatMap((file) => readRules(file, names, report));
  const tests: PolicyTest[] = files.flatMap((file) => readTests(file, names, rules, report));
  return { trustDomains, callers: callers.resolved, services, rules, tests };
}

function readFiles(files: readonly PolicyFile[], report: Report): PolicySections[] {
  const read: PolicySections[] = [];
  for (const file of [...files].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (!/^[A-Za-z0-9._/-]{1,64}$/.test(file.name)) {
      report(diagnostic('POL0115', { file: file.name }, firstLine(file)));
    }
    const tree = parseYaml(file, report);
    const sections = tree && readFields(tree, 'a policy file', sectionRules, report);
    if (!sections) continue;
    readVersion(sections.version, report);
    read.push({ file, sections });
  }
  return read;
}

const sectionRules = {
  version: 'required',
  trustDomains: 'optional',
  callers: 'optional',
  services: 'optional',
  rules: 'optional',
  tests: 'optional',
  schemes: 'later',
  labels: 'later',
  guardrails: 'later',
  checks: 'later',
  calls: 'later',
} as const;

function readVersion(tree: Tree | undefined, report: Report): void {
  if (!tree || (tree.kind === 'scalar' && tree.value === 1)) return;
  const { file, start, end } = tree.at;
  report(diagnostic('POL0104', { version: file.text.slice(start, end) }, tree.at));
}

function firstLine(file: SourceFile): SourceRange {
  return { file, start: 0, end: Math.max(1, file.text.indexOf('\n')) };
}
