import fc from 'fast-check';

// Policies that overlap as much as they can, over an alphabet so small that random calls hit them.

export interface RandomRule {
  readonly from: readonly string[];
  readonly effect: 'allow' | 'deny';
  readonly operations: readonly string[];
  readonly until: string | undefined;
}

const callerSegment = fc.constantFrom(
  'a',
  'b',
  'ab',
  'abc',
  'a.c',
  'a*',
  '*c',
  'ab*',
  '*bc',
  'a*c',
  '*',
  '**',
);
const pathSegment = fc.constantFrom(
  'a',
  'b',
  'A',
  'ab',
  'abc',
  'a*',
  '*c',
  'ab*',
  '*bc',
  'a*c',
  'A*',
  '*',
  '**',
  'a.b',
  'a@b',
  'a%40b',
  'a+b',
  'x;y',
  '%C3%A9',
);
const methods = fc.constantFrom('GET', 'POST', 'DELETE', 'ANY');

/** `**` never stands twice in a row. */
function segments(segment: fc.Arbitrary<string>, min: number): fc.Arbitrary<string> {
  return fc
    .array(segment, { minLength: min, maxLength: 3 })
    .filter((list) => !list.some((text, index) => text === '**' && list[index - 1] === '**'))
    .map((list) => `/${list.join('/')}`);
}

const callerPattern = fc
  .tuple(fc.constantFrom('one', 'two'), segments(callerSegment, 1))
  .map(([trustDomain, path]) => `${trustDomain}:${path}`);

const pathPattern = fc
  .tuple(segments(pathSegment, 0), fc.boolean())
  .map(([path, slash]) => (slash && path !== '/' ? `${path}/` : path));

const rule: fc.Arbitrary<RandomRule> = fc.record({
  from: fc.array(callerPattern, { minLength: 1, maxLength: 3 }),
  effect: fc.constantFrom('allow', 'allow', 'deny'),
  operations: fc.array(
    fc.tuple(methods, pathPattern).map(([method, path]) => `${method} ${path}`),
    { minLength: 1, maxLength: 3 },
  ),
  until: fc.constantFrom(undefined, undefined, '2030-01-01', '2030-01-02T03:04:05Z', '2020-01-01'),
});

/** The text of a policy for one service, `s`, with the trust domains `one` and `two`. */
export const policyText: fc.Arbitrary<string> = fc
  .array(rule, { minLength: 1, maxLength: 6 })
  .map(policyWith);

export function policyWith(rules: readonly RandomRule[]): string {
  const lines = rules.map((each, index) => {
    const end = each.until ? `, until: "${each.until}", reason: r` : '';
    return `  - { name: r${index}, from: ${list(each.from)}, to: s, ${each.effect}: ${list(each.operations)}${end} }`;
  });
  return [
    'version: 1',
    'trustDomains: { one: { id: one.example }, two: { id: two.example } }',
    'services: { s: { identity: one:/s, protocol: http } }',
    'rules:',
    ...lines,
    '',
  ].join('\n');
}

function list(texts: readonly string[]): string {
  return `[${texts.map((text) => `"${text}"`).join(', ')}]`;
}

const plainPart = fc.constantFrom('a', 'b', 'ab', 'abc', 'ac', 'axc', 'a.c', 'abbc', 'bc', 'x');

/** Callers near the patterns of `policyText`, one in eight of a trust domain that nobody knows. */
export const caller: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom(
      'one.example',
      'one.example',
      'one.example',
      'two.example',
      'two.example',
      'onexexample',
      'evil.example',
    ),
    fc.array(plainPart, { minLength: 1, maxLength: 4 }),
  )
  .map(([trustDomain, parts]) => `spiffe://${trustDomain}/${parts.join('/')}`);

const oddPart = fc.constantFrom(
  'A',
  'AB',
  'aBc',
  '',
  'a;',
  ';a',
  'x;y',
  'a%3b',
  'a%3By',
  'a.',
  '..',
  '.',
  'a%20',
  'a%2520',
  'a%2fb',
  'a%zz',
  'a%',
  '%61',
  'a@b',
  'a%40b',
  'a%40B',
  'a+b',
  'a%2Bb',
  'A%2bB',
  '%C3%A9',
  '%c3%a9',
  'a|b',
  'a b',
  'a\tb',
  'a\nb',
  'é',
  'a%00',
  'a?b',
  'a#b',
  'a\\b',
  '*',
  '%2a',
);

/** Paths as hostile as they come, canonical or not: `decide` must have one answer for each. */
export const path: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .array(fc.oneof({ weight: 3, arbitrary: plainPart }, { weight: 1, arbitrary: oddPart }), {
        maxLength: 5,
      })
      .map((parts) => `/${parts.join('/')}`),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }).map((text) => `/${text}`) },
  { weight: 1, arbitrary: fc.string({ maxLength: 12 }) },
);

export const method: fc.Arbitrary<string> = fc.constantFrom(
  'GET',
  'POST',
  'DELETE',
  'get',
  'PATCH',
  'PLASTRON',
  '',
);

export const instant: fc.Arbitrary<number> = fc
  .constantFrom(
    '2019-01-01T00:00:00Z',
    '2019-12-31T23:59:59.999Z',
    '2020-01-01T00:00:00Z',
    '2026-01-01T00:00:00Z',
    '2029-12-31T23:59:59.999Z',
    '2030-01-01T00:00:00Z',
    '2030-01-02T03:04:04Z',
    '2030-01-02T03:04:05Z',
    '2031-01-01T00:00:00Z',
  )
  .map((text) => Date.parse(text));
