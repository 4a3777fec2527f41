import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isSatisfied, selectorSet } from './match.js';

const few = fc.subarray(['1', '2', '3', '4', '5'].map((value) => ({ type: 'unix', value: `uid:${value}` })));

test('an entry matches exactly when its selectors are a non-empty subset of what was found', () => {
  fc.assert(
    fc.property(few, few, (wanted, found) => {
      const expected = wanted.length > 0 && wanted.every((selector) => found.includes(selector));
      assert.equal(isSatisfied(wanted, selectorSet(found)), expected);
    }),
  );
});

test('an entry without selectors matches nobody', () => {
  assert.equal(isSatisfied([], selectorSet([{ type: 'unix', value: 'uid:0' }])), false);
  assert.equal(isSatisfied([], selectorSet([])), false);
});

test('type and value are compared together, byte by byte', () => {
  const found = selectorSet([{ type: 'unix', value: 'uid:1' }]);
  assert.equal(isSatisfied([{ type: 'unix', value: 'uid:10' }], found), false);
  assert.equal(isSatisfied([{ type: 'Unix', value: 'uid:1' }], found), false);
  assert.equal(isSatisfied([{ type: 'unix', value: 'uid:1' }], found), true);
});
