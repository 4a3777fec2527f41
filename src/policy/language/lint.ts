import { diagnostic, type Report } from '../../base/diagnostics/diagnostic.js';
import type { Policy, Rule } from './model.js';

/** Warnings about what is allowed to be written and is probably not what was meant. */
export function lintPolicy(policy: Policy, atMs: number, report: Report): void {
  for (const rule of policy.rules) {
    if (rule.effect === 'deny') lintDeniedPaths(rule, report);
    if (rule.until && rule.until.ms <= atMs) {
      report(diagnostic('POL0302', { rule: rule.name, until: rule.until.text }, rule.at));
    }
  }
  for (const service of policy.services.values()) {
    const reachable = policy.rules.some(
      ({ effect, services }) => effect === 'allow' && services.includes(service.name),
    );
    if (!reachable) report(diagnostic('POL0303', { service: service.name }, service.at));
  }
}

/** Denying every path is safe: there is no spelling that it does not catch. */
function lintDeniedPaths(rule: Rule, report: Report): void {
  const narrow = rule.operations.find(({ path }) => path.text !== '/**');
  if (!narrow) return;
  const label = 'this path, in whatever spelling';
  report(diagnostic('POL0301', { rule: rule.name, path: narrow.path.text }, narrow.pathAt, { label }));
}
