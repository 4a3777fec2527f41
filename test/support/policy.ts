import assert from 'node:assert/strict';
import type { Diagnostic } from '../../src/base/diagnostics/diagnostic.js';
import { renderDiagnostics } from '../../src/base/diagnostics/render.js';
import { buildDiagram, type Diagram } from '../../src/policy/diagram/diagram.js';
import { loadPolicy } from '../../src/policy/language/load.js';
import type { Policy } from '../../src/policy/language/model.js';

/** The policy of one file, `p.yaml`, which must be good. */
export function policyOf(text: string): Policy {
  const { policy, diagnostics } = loadPolicy([{ name: 'p.yaml', path: 'p.yaml', text }], 0);
  assert.ok(policy, renderDiagnostics(diagnostics));
  return policy;
}

export function diagramOf(text: string, service = 's'): Diagram {
  return buildDiagram(policyOf(text), service);
}

/** What is wrong with a policy of several files, as `CODE file:line "marked text"`. */
export function findings(files: Readonly<Record<string, string>>, atMs = 0): string[] {
  const list = Object.entries(files).map(([name, text]) => ({ name, path: name, text }));
  return loadPolicy(list, atMs).diagnostics.map(finding);
}

export function finding({ code, at }: Diagnostic): string {
  const line = at.file.text.slice(0, at.start).split('\n').length;
  return `${code} ${at.file.path}:${line} ${JSON.stringify(at.file.text.slice(at.start, at.end))}`;
}
