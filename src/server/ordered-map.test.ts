import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { orderedMap } from './ordered-map.js';

test('it is read as a sorted list would be, whatever came and went before', () => {
  const key = fc.constantFrom('', 'a', 'b', 'ba', 'c', '__proto__', 'é', '\u{1f422}');
  const step = fc.record({ key, remove: fc.boolean(), read: fc.boolean() }, { noNullPrototype: true });
  fc.assert(
    fc.property(fc.array(step), key, (steps, from) => {
      const map = orderedMap<string>();
      const naive = new Set<string>();
      for (const { key: one, remove, read } of steps) {
        // Reading sorts, which later writes must undo.
        if (read) assert.equal([...map.after('')].includes('\n'), false);
        if (remove) assert.equal(map.delete(one), naive.delete(one));
        else {
          map.set(one, one);
          naive.add(one);
        }
      }
      assert.deepEqual(
        [...map.after(from)],
        [...naive].sort().filter((one) => one > from),
      );
    }),
  );
});
