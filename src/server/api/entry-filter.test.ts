import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Fault } from '../../base/faults/fault.js';
import { checkEntry } from '../../registration/check-entry.js';
import type { Entry } from '../../registration/entry.js';
import { parseTrustDomain, pathOf } from '../../spiffe/id.js';
import { entryFilter } from './entry-filter.js';

type Filter = NonNullable<Parameters<typeof entryFilter>[0]>;

const trustDomain = parseTrustDomain('shop.example');
const path = fc.constantFrom('/a', '/b', '/a/b');
const values = fc.constantFrom('1', '2', '3');
const foreign = fc.constantFrom('a.example', 'b.example');
const match = fc.constantFrom('MATCH_EXACT', 'MATCH_SUBSET', 'MATCH_SUPERSET', 'MATCH_ANY');
const hint = fc.constantFrom('', 'x');

const entries = fc
  .record({
    spiffe: path,
    parent: path,
    values: fc.uniqueArray(values, { minLength: 1 }),
    federatesWith: fc.uniqueArray(foreign),
    downstream: fc.boolean(),
    hint,
  })
  .map(({ spiffe, parent, values: selected, ...more }): Entry => {
    const selectors = selected.map((value) => ({ type: 'unix', value }));
    const [spiffeId, parentId] = [`spiffe://shop.example${spiffe}`, `spiffe://shop.example${parent}`];
    const content = checkEntry({ spiffeId, parentId, selectors, ...more }, trustDomain);
    return { ...content, id: 'e', createdAt: 0, revision: 0 };
  });

const idMessage = path.map((of) => ({ trust_domain: 'shop.example', path: of }));
const filters: fc.Arbitrary<Filter> = fc.record(
  {
    by_spiffe_id: idMessage,
    by_parent_id: idMessage,
    by_selectors: fc.record({
      selectors: fc.array(
        values.map((value) => ({ type: 'unix', value })),
        { minLength: 1 },
      ),
      match,
    }),
    by_federates_with: fc.record({ trust_domains: fc.array(foreign, { minLength: 1 }), match }),
    by_hint: hint.map((value) => ({ value })),
    by_downstream: fc.boolean().map((value) => ({ value })),
  },
  { requiredKeys: [], noNullPrototype: true },
);

/** As SPIRE describes the four ways, word by word. */
function naiveMatch(has: readonly string[], named: readonly string[], how: string): boolean {
  const everyHas = has.every((one) => named.includes(one));
  const everyNamed = named.every((one) => has.includes(one));
  switch (how) {
    case 'MATCH_EXACT':
      return everyHas && everyNamed;
    case 'MATCH_SUBSET':
      return has.length > 0 && everyHas;
    case 'MATCH_SUPERSET':
      return everyNamed;
    default:
      return named.some((one) => has.includes(one));
  }
}

function naive(filter: Filter, entry: Entry): boolean {
  const { by_spiffe_id, by_parent_id, by_selectors, by_federates_with, by_hint, by_downstream } = filter;
  if (by_spiffe_id && by_spiffe_id.path !== pathOf(entry.spiffeId)) return false;
  if (by_parent_id && by_parent_id.path !== pathOf(entry.parentId)) return false;
  if (by_hint && by_hint.value !== entry.hint) return false;
  if (by_downstream && by_downstream.value !== entry.downstream) return false;
  const own = entry.selectors.map(({ value }) => value);
  const named = (by_selectors?.selectors ?? []).map(({ value }) => value ?? '');
  if (by_selectors && !naiveMatch(own, named, String(by_selectors.match))) return false;
  const domains = by_federates_with?.trust_domains ?? [];
  return !by_federates_with || naiveMatch(entry.federatesWith, domains, String(by_federates_with.match));
}

test('a filter lets through what all of its parts let through, each in its own way', () => {
  fc.assert(
    fc.property(filters, fc.array(entries, { maxLength: 8 }), (filter, all) => {
      const found = all.filter(entryFilter(filter, trustDomain));
      assert.deepEqual(
        found,
        all.filter((entry) => naive(filter, entry)),
      );
    }),
    { numRuns: 500 },
  );
});

const bad: readonly [string, Filter][] = [
  ['an ID of another trust domain', { by_spiffe_id: { trust_domain: 'other.example', path: '/a' } }],
  ['a path that climbs (S1)', { by_spiffe_id: { trust_domain: 'shop.example', path: '/a/../b' } }],
  ['a reserved identity (S3)', { by_spiffe_id: { trust_domain: 'shop.example', path: '/spire/server' } }],
  ['a parent without a path', { by_parent_id: { trust_domain: 'shop.example' } }],
  ['no selectors', { by_selectors: { match: 'MATCH_ANY' } }],
  ['half a selector', { by_selectors: { selectors: [{ type: 'unix' }] } }],
  ['no trust domains', { by_federates_with: {} }],
  ['what is no trust domain', { by_federates_with: { trust_domains: ['Other'] } }],
];
for (const [name, filter] of bad) {
  test(`a filter by ${name} is refused before any entry is looked at`, () => {
    assert.throws(
      () => entryFilter(filter, trustDomain),
      (error) => error instanceof Fault && error.status === 'INVALID_ARGUMENT',
    );
  });
}
