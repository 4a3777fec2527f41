import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { path as hostilePath } from '../../../test/support/random-policy.js';
import { canonicalPath } from './canonical-path.js';
import { parsePathPattern } from './path-pattern.js';

test('paths are canonical as Envoy makes them', () => {
  const cases: [string, string][] = [
    ['/a/b/', '/a/b/'],
    ['/', '/'],
    ['', '/'],
    ['a', '/a'],
    ['/a?b=/../c', '/a'],
    ['/a#b', '/a'],
    ['//a//b', '/a/b'],
    ['/a//', '/a/'],
    ['/a/./b/../c', '/a/c'],
    ['/a/..', '/'],
    ['/a/.', '/a/'],
    ['/../..', '/'],
    ['/a/..;x/b', '/b'],
    ['/a..;x', '/a..;x'],
    ['/...', '/...'],
    ['/%61%2e%2E/%7e', '/a../~'],
    ['/%2e%2e/a', '/a'],
    ['/a\\b', '/a/b'],
    ['/a "<>^`{|}', '/a%20%22%3C%3E%5E%60%7B%7C%7D'],
    ["/!$&'()*+,;=:@[]", "/!$&'()*+,;=:@[]"],
    ['/%c3%a9é', '/%C3%A9%C3%A9'],
    ['/a%2cb', '/a%2Cb'],
    ['/a%25b%3F', '/a%25b%3F'],
  ];
  for (const [text, expected] of cases) {
    const made = canonicalPath(text);
    assert.ok('path' in made, text);
    assert.equal(made.path, expected, text);
    assert.equal(made.change === '', text === expected);
  }
});

test('what Envoy answers 400, or what is sent by no honest client, has no canonical form', () => {
  for (const text of ['/a%00', '/a%2fb', '/a%5C', '/a%', '/a%zz', '/a%7f', '/a\u0000']) {
    assert.ok('reason' in canonicalPath(text), text);
  }
});

test('a canonical path stays as it is', () => {
  fc.assert(
    fc.property(hostilePath, (text) => {
      const made = canonicalPath(text);
      if ('path' in made) assert.deepEqual(canonicalPath(made.path), { path: made.path, change: '' });
    }),
    { numRuns: 2000 },
  );
});

test('a pattern in another form is refused with the one that was meant', () => {
  const cases: [string, string | undefined][] = [
    ['/v1/orders/{id}', '/v1/orders/*'],
    ['/v1/{a}/x/{b}.json', '/v1/*/x/*.json'],
    ['v1', '/v1'],
    ['/v1/../v2', '/v2'],
    ['/v1?x=*', '/v1'],
    ['/größe', '/gr%C3%B6%C3%9Fe'],
    ['/a/**/**', '/a/**'],
    ['/a*b*', undefined],
    ['/a/x**', undefined],
    ['/a%2F*', undefined],
    [`/${'a'.repeat(1024)}`, undefined],
  ];
  for (const [text, suggestion] of cases) {
    const pattern = parsePathPattern(text);
    assert.ok('reason' in pattern, text);
    assert.equal(pattern.suggestion, suggestion, text);
  }
  for (const text of ['/', '/**', '/*', '/v1/orders/*/items/**/x*y/', '/a%20b', '/a;v=1']) {
    assert.ok('segments' in parsePathPattern(text), text);
  }
});
