import { diagnostic, type Report } from '../../base/diagnostics/diagnostic.js';
import { didYouMean } from '../../base/diagnostics/similar.js';
import { Fault } from '../../base/faults/fault.js';
import type { SourceRange } from '../../base/source.js';
import { type SpiffeId, type TrustDomain, workloadId } from '../../spiffe/id.js';
import { type CallerPattern, parseCallerPath } from './caller-pattern.js';

export type TrustDomainNames = ReadonlyMap<string, TrustDomain>;

/** `prod:/ns/shop/sa/web`: the name of a trust domain and a path, which may have stars. */
export function readCallerPattern(
  text: string,
  at: SourceRange,
  trustDomains: TrustDomainNames,
  report: Report,
): CallerPattern | undefined {
  if (text.startsWith('spiffe://')) {
    const problem = 'a trust domain stands under its name here';
    report(diagnostic('POL0108', { text, problem }, at, { helps: [underItsName(text, trustDomains)] }));
    return;
  }
  const colon = text.indexOf(':');
  const segments =
    colon < 0 ? { reason: 'it names no trust domain' } : parseCallerPath(text.slice(colon + 1));
  if ('reason' in segments) {
    report(diagnostic('POL0108', { text, problem: segments.reason }, at));
    return;
  }
  const name = text.slice(0, colon);
  const trustDomain = trustDomains.get(name);
  if (trustDomain === undefined) {
    report(diagnostic('POL0203', { name }, at, didYouMean(name, trustDomains.keys())));
    return;
  }
  if (text.includes('*')) return { text, trustDomain, segments, exact: undefined };
  const exact = readId(trustDomain, text.slice(colon + 1), text, at, report);
  return exact && { text, trustDomain, segments, exact };
}

/** What is left to go wrong is the length. */
function readId(
  trustDomain: TrustDomain,
  path: string,
  text: string,
  at: SourceRange,
  report: Report,
): SpiffeId | undefined {
  try {
    return workloadId(trustDomain, path);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    report(diagnostic('POL0108', { text, problem: error.message }, at, { helps: [error.hint] }));
    return;
  }
}

function underItsName(id: string, trustDomains: TrustDomainNames): string {
  const [, host = '', path = ''] = /^spiffe:\/\/([^/]*)(.*)$/.exec(id) ?? [];
  const name = [...trustDomains].find(([, trustDomain]) => trustDomain === host)?.[0];
  if (name === undefined) return `give \`${host}\` a name under \`trustDomains:\` and write NAME:${path}`;
  return `write \`${name}:${path}\``;
}
