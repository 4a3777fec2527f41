import { type Diagnostic, hasErrors, sortDiagnostics } from '../base/diagnostics/diagnostic.js';
import type { Diagram } from './diagram/diagram.js';
import { loadPolicy } from './language/load.js';
import type { Policy } from './language/model.js';
import type { PolicyFile } from './language/policy-file.js';
import { diagramsOf, runTests, type TestResult } from './run-tests.js';

/** A policy whose files have no errors and whose own tests pass. */
export interface CheckedPolicy {
  readonly policy: Policy;
  /** One for every service, by its name. */
  readonly diagrams: ReadonlyMap<string, Diagram>;
}

export interface PolicyCheck {
  /** Present exactly if no diagnostic is an error. */
  readonly checked: CheckedPolicy | undefined;
  /** Of the files and of failed tests, sorted by position. */
  readonly diagnostics: readonly Diagnostic[];
  readonly tests: readonly TestResult[];
}

/** All that can be said of a policy before it is taken: its files, then its own tests. `atMs` as in `loadPolicy`. */
export function checkPolicy(files: readonly PolicyFile[], atMs: number): PolicyCheck {
  const { policy, diagnostics } = loadPolicy(files, atMs);
  if (!policy) return { checked: undefined, diagnostics, tests: [] };
  const diagramOf = diagramsOf(policy);
  const tests = runTests(policy, diagramOf);
  const all = sortDiagnostics([...diagnostics, ...tests.flatMap(({ failure }) => failure ?? [])]);
  const diagrams = new Map([...policy.services.keys()].map((name) => [name, diagramOf(name)]));
  return { checked: hasErrors(all) ? undefined : { policy, diagrams }, diagnostics: all, tests };
}
