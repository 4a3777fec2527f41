import { diagnostic, type Report } from '../../base/diagnostics/diagnostic.js';
import type { SourceRange } from '../../base/source.js';
import { asText, oneOrMore } from '../../base/yaml/fields.js';
import type { Tree } from '../../base/yaml/tree.js';
import { anyMethod, httpMethods, similarMethod } from './method.js';
import type { Operation } from './model.js';
import { parsePathPattern } from './path-pattern.js';

/** `GET /v1/orders/*`, or a list of such. */
export function readOperations(tree: Tree, what: string, report: Report): Operation[] {
  const operations: Operation[] = [];
  for (const item of oneOrMore(tree, what, report)) {
    const text = asText(item, `an operation in ${what}`, report);
    const words = text === undefined ? undefined : readWords(text, item.at, report);
    if (text === undefined || !words) continue;
    const path = parsePathPattern(words.path);
    if ('reason' in path) reportPath(words.path, path, words.pathAt, report);
    else {
      const method = words.method === anyMethod ? undefined : words.method;
      operations.push({ text, method, path, pathAt: words.pathAt });
    }
  }
  return operations;
}

/** A method (or `ANY`) and what follows it, with the place of the latter. */
export function readWords(
  text: string,
  at: SourceRange,
  report: Report,
): { method: string; path: string; pathAt: SourceRange } | undefined {
  const [, method = '', space = '', path = ''] = /^(\S+)( +)(\S+)$/.exec(text) ?? [];
  if (path === '') {
    report(diagnostic('POL0109', { text }, at));
    return;
  }
  if (method === 'grpc' || method === 'tcp') {
    report(diagnostic('POL0105', { what: 'an operation', field: method }, at));
    return;
  }
  const quotes = at.end - at.start - text.length === 2 ? 1 : 0;
  const from = at.start + quotes;
  if (method !== anyMethod && !httpMethods.has(method)) {
    const similar = similarMethod(method);
    const helps = similar === undefined ? {} : { helps: [`did you mean \`${similar}\`?`] };
    report(diagnostic('POL0110', { method }, { ...at, start: from, end: from + method.length }, helps));
    return;
  }
  return {
    method,
    path,
    pathAt: { ...at, start: from + method.length + space.length, end: at.end - quotes },
  };
}

export function reportPath(
  path: string,
  { reason, suggestion }: { reason: string; suggestion?: string },
  at: SourceRange,
  report: Report,
): void {
  const helps = suggestion === undefined ? {} : { helps: [`write \`${suggestion}\``] };
  report(diagnostic('POL0111', { path, reason }, at, helps));
}
