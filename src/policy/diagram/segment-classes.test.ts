import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseSegment } from '../language/segment.js';
import { callerAlphabet, pathAlphabet } from './alphabet.js';
import { segmentClasses } from './segment-classes.js';
import {
  emptySegment,
  matches,
  notPlain,
  plain,
  type SegmentMatcher,
  segmentMatcher,
} from './segment-matcher.js';

function matcher(text: string, folded = false): SegmentMatcher {
  const segment = parseSegment(text);
  assert.ok(segment && segment.kind !== 'rest');
  return segmentMatcher(segment, folded);
}

function classesOf(tests: readonly SegmentMatcher[], alphabet = callerAlphabet): string[] {
  return segmentClasses(tests, alphabet, { left: 100_000 })
    .map(({ passed, witness }) => `${witness}: ${passed.map(({ key }) => key).join(' ')}`)
    .sort();
}

test('globs that overlap have every combination, each with its shortest witness', () => {
  assert.deepEqual(classesOf([matcher('ab*'), matcher('*bc')]), [
    'ab: ~ab*',
    'abc: ~ab* ~*bc',
    'bc: ~*bc',
    'x: ',
  ]);
  assert.deepEqual(classesOf([matcher('a*a'), matcher('a')]), ['a: =a', 'aa: ~a*a', 'x: ']);
  assert.deepEqual(classesOf([matcher('*'), matcher('x')]), ['x: * =x', 'y: *']);
});

test('a folded literal takes every case, a plain one its own', () => {
  const classes = classesOf([matcher('Ab'), matcher('ab', true)], pathAlphabet);
  assert.deepEqual(classes, [': ', 'AB: i=ab', 'Ab: =Ab i=ab', 'x: ']);
});

test('witnesses are never a dot segment, however it is spelt', () => {
  assert.deepEqual(classesOf([matcher('.*')]), ['.x: ~.*', 'x: ']);
  assert.deepEqual(classesOf([matcher('..*')], pathAlphabet), ['..x: ~..*', ': ', 'x: ']);
  for (const witness of classesOf([matcher('.;*'), matcher('..;*')], pathAlphabet))
    assert.match(witness, /^[^.]*:/);
});

test('a run that ends early says so by its budget', () => {
  const budget = { left: 3 };
  segmentClasses([matcher('abcdef*'), matcher('*xyz')], callerAlphabet, budget);
  assert.ok(budget.left < 0);
});

test('every segment is in a class that is listed, and every witness is in its class', () => {
  const texts = ['a', 'ab', 'abc', 'a*', '*c', 'ab*', '*bc', 'a*c', '*', 'A*', 'b@c', '%40*', '*%C3%A9'];
  const choice = fc.subarray(texts, { minLength: 1 });
  const segment = fc.array(fc.constantFrom('a', 'b', 'c', 'A', '@', '%40', '%C3%A9', 'x', ';', '%25'), {
    maxLength: 5,
  });
  fc.assert(
    fc.property(choice, fc.boolean(), segment, (chosen, folded, parts) => {
      const tests = [...chosen.map((text) => matcher(text, folded)), plain, notPlain, emptySegment];
      const keyOf = (text: string) =>
        tests
          .filter((test) => matches(test, text))
          .map(({ key }) => key)
          .join(' ');
      const classes = segmentClasses(tests, pathAlphabet, { left: 1_000_000 });
      const listed = new Set(classes.map(({ passed }) => passed.map(({ key }) => key).join(' ')));
      assert.ok(listed.has(keyOf(parts.join(''))), parts.join(''));
      for (const { witness, passed } of classes) {
        assert.equal(keyOf(witness), passed.map(({ key }) => key).join(' '), witness);
      }
    }),
    { numRuns: 200 },
  );
});
