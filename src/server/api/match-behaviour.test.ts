import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault } from '../../base/faults/fault.js';
import { setMatcher } from './match-behaviour.js';

// The examples of SPIRE's own description of the API, and what lies beside them.
const sets = { e1: ['a', 'b', 'c'], e2: ['a', 'b'], e3: ['a'], other: ['x'], none: [] };
const cases = [
  ['MATCH_EXACT', ['a', 'b'], ['e2']],
  ['MATCH_EXACT', ['b', 'a', 'a'], ['e2']],
  ['MATCH_SUBSET', ['a'], ['e3']],
  ['MATCH_SUBSET', ['a', 'b'], ['e2', 'e3']],
  ['MATCH_SUPERSET', ['a', 'b'], ['e1', 'e2']],
  ['MATCH_ANY', ['a'], ['e1', 'e2', 'e3']],
  ['MATCH_ANY', ['c', 'x'], ['e1', 'other']],
] as const;

for (const [behaviour, named, expected] of cases) {
  test(`${behaviour} of ${named.join(', ')} finds ${expected.join(', ')}`, () => {
    const found = Object.entries(sets).filter(([, has]) => setMatcher(named, behaviour)(has));
    assert.deepEqual(
      found.map(([name]) => name),
      expected,
    );
  });
}

test('without a behaviour sets must be equal, as in SPIRE; an empty filter and an unknown behaviour are refused', () => {
  assert.equal(setMatcher(['a'])(['a', 'b']), false);
  assert.throws(
    () => setMatcher([], 'MATCH_ANY'),
    (error) => isFault(error, 'SRV0204'),
  );
  assert.throws(
    () => setMatcher(['a'], 9),
    (error) => isFault(error, 'SRV0204'),
  );
});
