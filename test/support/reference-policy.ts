import type { Policy, Rule } from '../../src/policy/language/model.js';
import type { Segment } from '../../src/policy/language/segment.js';
import type { Call, Verdict } from '../../src/policy/request.js';

// The meaning of a policy, said as plainly as possible and without a thought for speed: what `decide` is held against.
// It shares nothing with the diagram but the model.

export function referenceDecide(policy: Policy, service: string, call: Call): Verdict {
  const trustDomain = call.caller.split('/')[2] ?? '';
  if (![...policy.trustDomains.values()].some((known) => known === trustDomain)) {
    return { allowed: false, rule: 'identity-guard' };
  }
  const applying = policy.rules.filter((rule) => rule.services.includes(service) && applies(rule, call));
  const denying = applying.filter((rule) => rule.effect === 'deny');
  if (denying[0]) return { allowed: false, rule: denying[0].id };
  if (applying[0]) return { allowed: true, rule: applying[0].id };
  return { allowed: false, rule: 'default-deny' };
}

function applies(rule: Rule, call: Call): boolean {
  if (rule.until && call.at >= rule.until.ms) return false;
  const isCaller = rule.callers.some(({ trustDomain, segments }) => {
    const base = `spiffe://${trustDomain}/`;
    return call.caller.startsWith(base) && fits(segments, call.caller.slice(base.length).split('/'));
  });
  return (
    isCaller &&
    rule.operations.some(({ method, path }) => {
      if (method !== undefined && method !== call.method) return false;
      return rule.effect === 'allow' ? fitsPath(path.segments, call.path) : denies(path.segments, call.path);
    })
  );
}

function denies(segments: readonly Segment[], path: string): boolean {
  if (!isPlainPath(path)) return true;
  const folded = segments.map((segment) => foldSegment(segment));
  const bare = foldText(path);
  const withoutSlash = bare.replace(/\/$/, '');
  const patternWithoutSlash =
    folded.length > 1 && folded.at(-1)?.kind === 'literal' && textOf(folded.at(-1)) === ''
      ? folded.slice(0, -1)
      : folded;
  return fitsPath(patternWithoutSlash, bare) || fitsPath(patternWithoutSlash, withoutSlash);
}

function textOf(segment: Segment | undefined): string | undefined {
  return segment?.kind === 'literal' ? segment.text : undefined;
}

function foldSegment(segment: Segment): Segment {
  if (segment.kind === 'literal') return { kind: 'literal', text: foldText(segment.text) };
  if (segment.kind !== 'glob') return segment;
  return { kind: 'glob', prefix: foldText(segment.prefix), suffix: foldText(segment.suffix) };
}

function foldText(text: string): string {
  const decoded = text.replace(/%(?:21|24|26|27|28|29|2a|2b|2c|3a|3d|40|5b|5d)/gi, (encoded) =>
    decodeURIComponent(encoded),
  );
  return decoded.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

function fitsPath(segments: readonly Segment[], path: string): boolean {
  return path.startsWith('/') && fits(segments, path.slice(1).split('/'));
}

function fits(pattern: readonly Segment[], parts: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (!first) return parts.length === 0;
  if (first.kind === 'rest') {
    return parts.some((_, index) => fits(rest, parts.slice(index))) || fits(rest, []);
  }
  const [part, ...others] = parts;
  return part !== undefined && fitsSegment(first, part) && fits(rest, others);
}

function fitsSegment(segment: Segment, part: string): boolean {
  if (segment.kind === 'literal') return part === segment.text;
  if (segment.kind === 'one') return part !== '';
  if (segment.kind !== 'glob') return false;
  const { prefix, suffix } = segment;
  return part.length >= prefix.length + suffix.length && part.startsWith(prefix) && part.endsWith(suffix);
}

/** Only what every server reads alike: no `;`, no doubled slash, no odd encoding, no segment that ends in a dot or a space. */
export function isPlainPath(path: string): boolean {
  if (!path.startsWith('/') || path.includes('//') || path.includes(';')) return false;
  if (/%(?![0-9a-f]{2})/i.test(path)) return false;
  for (const [, hex = ''] of path.matchAll(/%(..)/g)) {
    const code = Number.parseInt(hex, 16);
    const character = String.fromCharCode(code);
    if (code < 32 || code === 127 || '%;?#/\\'.includes(character) || /[A-Za-z0-9\-._~]/.test(character))
      return false;
  }
  if (path.split('/').some((segment) => segment.endsWith('.') || segment.endsWith('%20'))) return false;
  return /^[A-Za-z0-9\-._~!$&'()*+,=:@[\]%/]*$/.test(path);
}
