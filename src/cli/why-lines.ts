import { placeOf } from '../base/source.js';
import { visible } from '../base/visible.js';
import type { Clause } from '../policy/diagram/clause.js';
import { identityGuard } from '../policy/diagram/diagram.js';
import { isPlainPath } from '../policy/diagram/path-set.js';
import type { Condition, Explanation, NearMiss } from '../policy/explain.js';
import type { CanonicalPath } from '../policy/language/canonical-path.js';
import type { Rule } from '../policy/language/model.js';
import type { Call } from '../policy/request.js';
import type { Voice } from './voice.js';

export interface WhyAnswer {
  readonly call: Call;
  readonly service: string;
  readonly explanation: Explanation;
  /** What Envoy makes of the path that was asked about. */
  readonly canonical: CanonicalPath | { reason: string };
}

/** The answer of `plastron why`, line by line. */
export function whyLines(voice: Voice, answer: WhyAnswer): string[] {
  const { call, service, explanation } = answer;
  const { allowed } = explanation.verdict;
  const verdict = voice.paint(allowed ? 'good' : 'bad', allowed ? 'ALLOWED' : 'DENIED');
  const asked = `${visible(call.caller)} -> ${service}  ${visible(call.method)} ${visible(call.path)}`;
  return [
    `${voice.mark(allowed ? 'good' : 'bad')} ${verdict}  ${asked}`,
    ...[...pathNotes(answer), ...reasons(voice, answer)].map((line) => `  ${line}`),
  ];
}

function pathNotes({ canonical }: WhyAnswer): string[] {
  if ('reason' in canonical) return [`the path can be in no policy: ${visible(canonical.reason)}`];
  return canonical.change === '' ? [] : [`this is the path as Envoy sees it: ${visible(canonical.change)}`];
}

function reasons(voice: Voice, { call, explanation }: WhyAnswer): string[] {
  const { verdict, decidedBy, overridden, nearest } = explanation;
  if (verdict.rule === identityGuard) {
    return [`the trust domain of the caller is not one of the policy's (${identityGuard})`];
  }
  if (!decidedBy) {
    return [`no rule allows it (${verdict.rule})`, ...(nearest ? nearestLines(voice, nearest, call) : [])];
  }
  const { rule } = decidedBy;
  const word = verdict.allowed ? 'allowed' : 'denied';
  return [
    `${word} by ${voice.paint('strong', rule.name)}  ${placeOf(rule.at)}  ${decidedBy.operation.text}`,
    ...unplainNote(decidedBy, call),
    ...validity(rule),
    ...(overridden ? [`overrides ${overridden.name}, which would allow it  ${placeOf(overridden.at)}`] : []),
  ];
}

function unplainNote({ rule, operation }: Clause, call: Call): string[] {
  if (rule.effect === 'allow' || operation.path.text === '/**' || isPlainPath(call.path)) return [];
  return ['the path is not plain: servers read it in different ways, so every deny on a path catches it'];
}

function validity({ until, reason }: Rule): string[] {
  return until ? [`until ${until.text}${reason === undefined ? '' : `: ${visible(reason)}`}`] : [];
}

function nearestLines(voice: Voice, { clause, conditions }: NearMiss, call: Call): string[] {
  const { rule } = clause;
  const parts = conditions.map((condition) => {
    const mark = voice.mark(condition.holds ? 'good' : 'bad');
    return `${condition.about} ${mark} ${describe(condition, clause, call)}`;
  });
  return [
    `nearest: ${voice.paint('strong', rule.name)}  ${placeOf(rule.at)}`,
    `         ${parts.join('   ')}`,
  ];
}

function describe({ about, holds }: Condition, { rule, operation }: Clause, call: Call): string {
  if (about === 'from')
    return holds ? rule.from.join(', ') : `the caller is not in [${rule.from.join(', ')}]`;
  if (about === 'until') return holds ? (rule.until?.text ?? '') : `ended at ${rule.until?.text ?? ''}`;
  if (about === 'path')
    return holds ? operation.path.text : `${visible(call.path)} is not in ${operation.path.text}`;
  return holds ? (operation.method ?? 'ANY') : `${visible(call.method)} is not ${operation.method ?? 'ANY'}`;
}
