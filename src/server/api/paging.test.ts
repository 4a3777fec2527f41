import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isFault } from '../../base/faults/fault.js';
import { maxPage, pageOf } from './paging.js';

test('page after page everything comes once, in order, whatever the page size', () => {
  const names = fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 30 });
  fc.assert(
    fc.property(names, fc.integer({ min: 1, max: 10 }), (items, page_size) => {
      const seen: string[] = [];
      let page_token = '';
      do {
        const page = pageOf(items, (item) => item, { page_size, page_token });
        assert.ok(page.items.length <= page_size);
        seen.push(...page.items);
        page_token = page.next_page_token;
      } while (page_token !== '');
      assert.deepEqual(seen, [...items].sort());
    }),
  );
});

test('the server bounds what a page holds (S34)', () => {
  const items = Array.from({ length: maxPage + 1 }, (_, i) => String(i));
  for (const page_size of [0, 1_000_000_000]) {
    assert.equal(pageOf(items, (item) => item, { page_size }).items.length, maxPage);
  }
  assert.throws(
    () => pageOf(items, (item) => item, { page_size: -1 }),
    (error) => isFault(error, 'SRV0203'),
  );
});
