import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { runMatcher } from '../../../test/support/matcher-model.js';
import { type NearCall, nearCalls } from '../../../test/support/near-misses.js';
import { diagramOf } from '../../../test/support/policy.js';
import { caller, instant, method, path, policyText } from '../../../test/support/random-policy.js';
import { decide } from '../../policy/diagram/decide.js';
import type { Diagram } from '../../policy/diagram/diagram.js';
import { parseSpiffeId, type SpiffeId } from '../../spiffe/id.js';
import { type Matcher, ruleFirstMatcher } from './matcher.js';

const runs = Number(process.env.FC_RUNS ?? 150);

test('the tree says of every call what decide says, by the same rule', () => {
  const calls = fc.array(fc.record({ caller: caller.map(parseSpiffeId), method, path, at: instant }), {
    minLength: 20,
    maxLength: 20,
  });
  fc.assert(
    fc.property(policyText, calls, (text, list) => {
      const diagram = diagramOf(text);
      const matcher = treeOf(diagram);
      for (const call of list) {
        // What cannot be in a request line never reaches a filter, and a `?` starts the query.
        if (!/^[!-~]+$/.test(call.path) || call.path.includes('?')) continue;
        const answer = runMatcher(matcher, { ...call, uriSans: call.caller });
        assert.deepEqual(answer, decide(diagram, call), `${text}\n${JSON.stringify(call)}`);
      }
    }),
    { numRuns: runs },
  );
});

test('the tree is right at every leaf and right beside it', () => {
  for (const text of fc.sample(policyText, runs / 10)) {
    const diagram = diagramOf(text);
    assert.equal(firstDifference(diagram, treeOf(diagram)), undefined, text);
  }
});

/** Mistakes that a compiler could make, each as a change of the tree that it prints. */
const mutants: Record<string, (matcher: Matcher) => Matcher> = {
  'a star in a path crosses a slash': inRegexes((regex) => regex.replaceAll('[^/?]+', '[^?]+')),
  'a star in a caller crosses a slash': inRegexes((regex) =>
    regex.replaceAll(/(\/)\[A-Za-z0-9._-\]\+/g, '$1[A-Za-z0-9._/-]+'),
  ),
  'a star may stand for nothing': inRegexes((regex) => regex.replaceAll('[^/?]+', '[^/?]*')),
  'a subtree is a bare prefix': inRegexes((regex) => regex.replaceAll('(?:/[^/?]*)*', '[^?]*')),
  'a dot in a caller stands for any character': inRegexes((regex) =>
    regex.startsWith('spiffe://') && !regex.includes('|') ? regex.replaceAll('\\.c', '.c') : regex,
  ),
  'a dot in a trust domain stands for any character': inRegexes((regex) =>
    regex.replaceAll('\\.example', '.example'),
  ),
  'a denied path is case-sensitive': inRegexes((regex) => regex.replace('(?i)', '')),
  'a denied path minds a trailing slash': inRegexes((regex) => regex.replace('/?(?:\\?.*)?', '(?:\\?.*)?')),
  'a denied path minds needless encodings': inRegexes((regex) =>
    regex.replaceAll(/\(\?:([@+])\|%\w\w\)/g, '$1'),
  ),
  'an allowed path is taken in any case': inRegexes((regex) =>
    regex.startsWith('/') ? `(?i)${regex}` : regex,
  ),
  'an allowed path may have a slash more': inRegexes((regex) =>
    regex.startsWith('/') && !regex.includes('%20') ? regex.replace('(?:\\?.*)?', '/?(?:\\?.*)?') : regex,
  ),
  'a query is part of the path': inRegexes((regex) => regex.replace('(?:\\?.*)?', '')),
  'a deny takes plain paths only': everywhere((node) => {
    const [first] = Array.isArray(node.predicate) ? node.predicate : [];
    return Array.isArray(node.predicate) && node.predicate.some((one) => 'not_matcher' in one)
      ? { predicate: [first, first] }
      : node;
  }),
  'a path parameter is plain': inRegexes((regex) => regex.replaceAll('[\\x21', '[;\\x21')),
  'a dot at the end of a segment is plain': inRegexes((regex) => regex.replaceAll('[\\x21', '[.\\x21')),
  'allows come before denies': everywhere((node) =>
    Array.isArray(node.matchers) ? { matchers: [...node.matchers].reverse() } : node,
  ),
  'rules live on after their end': everywhere((node) =>
    'custom_match' in node
      ? { input: { name: 'method' }, value_match: { safe_regex: { regex: '.*' } } }
      : node,
  ),
  'the method is not asked': everywhere((node) =>
    typeof node.exact === 'string' ? { safe_regex: { regex: '.*' } } : node,
  ),
  'methods are compared as prefixes': everywhere((node) =>
    typeof node.exact === 'string' ? { prefix: node.exact.slice(0, 1) } : node,
  ),
  'a caller is missing': everywhere((node) =>
    typeof node.map === 'object'
      ? { map: Object.fromEntries(Object.entries(node.map ?? {}).slice(1)) }
      : node,
  ),
  'a certificate may have several names': inRegexes((regex) => (regex.includes('|') ? 'spiffe://.*' : regex)),
  'the guard ends too early': inRegexes((regex) =>
    regex.startsWith('spiffe://(?:') ? `${regex}(?:,.*)?` : regex,
  ),
  'a tree that says nothing lets through': everywhere((node) => {
    const { on_no_match, ...rest } = node;
    return on_no_match === undefined ? node : rest;
  }),
};

for (const [mistake, mutate] of Object.entries(mutants)) {
  test(`a compiler in which ${mistake} is caught`, () => {
    const texts = fc.sample(policyText, { numRuns: 400, seed: 7 });
    assert.ok(
      texts.some((text) => firstDifference(diagramOf(text), mutate(treeOf(diagramOf(text)))) !== undefined),
    );
  });
}

const now = Date.parse('2026-01-01T00:00:00Z');

function treeOf({ clauses, trustDomains }: Diagram): Matcher {
  return ruleFirstMatcher(clauses, trustDomains);
}

function firstDifference(diagram: Diagram, matcher: Matcher): NearCall | undefined {
  return nearCalls(diagram, now, 30, 1).find((call) => {
    const answer = runMatcher(matcher, { ...call, uriSans: call.names.join(','), at: now });
    const expected = expectedFor(diagram, call);
    return answer?.allowed !== expected.allowed || answer.rule !== expected.rule;
  });
}

/** A certificate with more than one name is nobody's. */
function expectedFor(diagram: Diagram, { names, method, path }: NearCall) {
  const [name = ''] = names;
  if (names.length > 1 || name.includes(',')) return { allowed: false, rule: 'identity-guard' };
  return decide(diagram, { caller: name as SpiffeId, method, path: path.split('?')[0] ?? '', at: now });
}

type Node = Record<string, unknown>;

function inRegexes(change: (regex: string) => string): (matcher: Matcher) => Matcher {
  return everywhere((node) =>
    typeof node.regex === 'string' ? { ...node, regex: change(node.regex) } : node,
  );
}

function everywhere(change: (node: Node) => Node): (matcher: Matcher) => Matcher {
  const walk = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
    return Object.fromEntries(
      Object.entries(change(value as Node)).map(([key, inner]) => [key, walk(inner)]),
    );
  };
  return (matcher) => walk(matcher) as Matcher;
}
