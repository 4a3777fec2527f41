import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isFault } from '../../base/faults/fault.js';
import { orderedMap } from '../ordered-map.js';
import { maxPage, pageOf } from './paging.js';

function source(names: readonly string[], matches?: (name: string) => boolean) {
  const { after } = orderedMap(names.map((name) => [name, name]));
  return { after, keyOf: (name: string) => name, ...(matches ? { matches } : {}) };
}

test('page after page everything that matches comes once, in order, whatever the page size', () => {
  // What is not Unicode has no place in a message, and so in no key.
  const names = fc.uniqueArray(fc.string({ minLength: 1, unit: 'grapheme' }), { maxLength: 30 });
  fc.assert(
    fc.property(names, fc.integer({ min: 1, max: 10 }), fc.nat(2), (all, page_size, length) => {
      const matches = (name: string) => name.length > length;
      const seen: string[] = [];
      let page_token = '';
      do {
        const page = pageOf(source(all, matches), { page_size, page_token });
        assert.ok(page.items.length <= page_size);
        seen.push(...page.items);
        page_token = page.next_page_token;
      } while (page_token !== '');
      assert.deepEqual(seen, all.filter(matches).sort());
    }),
  );
});

test('what stays is neither repeated nor skipped when items come and go between two pages', () => {
  const first = pageOf(source(['a', 'b', 'd', 'e']), { page_size: 2 });
  const rest = pageOf(source(['a', 'aa', 'c', 'd', 'e']), { page_token: first.next_page_token });
  assert.deepEqual(
    [first.items, rest.items],
    [
      ['a', 'b'],
      ['c', 'd', 'e'],
    ],
  );
});

test('a token that the server did not give is refused', () => {
  const { next_page_token } = pageOf(source(['a', 'b']), { page_size: 1 });
  const foreign = ['a', 'MTo', '!', `${next_page_token}=`, `${next_page_token} `, 'x'.repeat(1000)];
  for (const page_token of foreign) {
    assert.throws(
      () => pageOf(source(['a']), { page_token }),
      (error) => isFault(error, 'SRV0206'),
      page_token,
    );
  }
});

test('the server bounds what a page holds (S34)', () => {
  const many = source(Array.from({ length: maxPage + 1 }, (_, i) => String(i)));
  for (const page_size of [0, 1_000_000_000]) {
    assert.equal(pageOf(many, { page_size }).items.length, maxPage);
  }
  assert.throws(
    () => pageOf(many, { page_size: -1 }),
    (error) => isFault(error, 'SRV0203'),
  );
});
