import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sameMembers } from './same-members.js';

test('two lists have the same members only if these are the same objects in the same order', () => {
  const [one, other] = [{}, {}];
  assert.ok(sameMembers([], []));
  assert.ok(sameMembers([one, other, 1], [one, other, 1]));
  for (const list of [[], [one], [other, one], [one, {}], [one, other, one]]) {
    assert.ok(!sameMembers([one, other], list));
    assert.ok(!sameMembers(list, [one, other]));
  }
});
