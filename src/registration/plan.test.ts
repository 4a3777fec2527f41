import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseTrustDomain } from '../spiffe/id.js';
import { checkEntry } from './check-entry.js';
import type { Entry } from './entry.js';
import { ownerPrefix, unnamedId } from './ownership.js';
import { type IdentifiedContent, planEntries } from './plan.js';
import { parseSelector } from './selector.js';

const trustDomain = parseTrustDomain('shop.example');
const own = ownerPrefix();

function wanted(
  path: string,
  selector: string,
  { id, x509SvidTtl = 0, prefix = own }: { id?: string; x509SvidTtl?: number; prefix?: string } = {},
): IdentifiedContent {
  const parentId = 'spiffe://shop.example/node/demo';
  const selectors = [parseSelector(selector)];
  const spiffeId = `spiffe://shop.example${path}`;
  const content = checkEntry({ spiffeId, parentId, selectors, x509SvidTtl }, trustDomain);
  return { ...content, id: id ?? unnamedId(prefix, content) };
}

function stored(content: IdentifiedContent): Entry {
  return { ...content, createdAt: 1, revision: 0 };
}

function ids({ create, update, unchanged, conflicts, surplus }: ReturnType<typeof planEntries>) {
  const of = (entries: readonly { id: string }[]) => entries.map(({ id }) => id);
  const present = (updates: typeof update) => of(updates.map((one) => one.present));
  return [of(create), present(update), of(unchanged), present(conflicts), of(surplus)];
}

test('applying the same files twice creates everything once and then changes nothing', () => {
  const files = [wanted('/web', 'unix:uid:1'), wanted('/orders', 'unix:uid:2', { id: 'applied-orders' })];
  const first = planEntries(files, [own], []);
  assert.equal(first.create.length, 2);
  const second = planEntries(files, [own], first.create.map(stored));
  assert.deepEqual(ids(second), [[], [], first.create.map(({ id }) => id), [], []]);
});

test('a changed lifetime is an update in place, also of an entry that somebody made by hand', () => {
  const present = stored(wanted('/web', 'unix:uid:1', { id: 'made-by-hand' }));
  const plan = planEntries([wanted('/web', 'unix:uid:1', { x509SvidTtl: 60 })], [own], [present]);
  assert.deepEqual(ids(plan), [[], ['made-by-hand'], [], [], []]);
  assert.deepEqual(plan.update[0]?.changes, [{ field: 'x509SvidTtl', from: 0, to: 60 }]);
});

test('with a name even the selectors change in place', () => {
  const present = stored(wanted('/web', 'unix:uid:1', { id: 'applied-web' }));
  const plan = planEntries([wanted('/web', 'unix:uid:7', { id: 'applied-web' })], [own], [present]);
  assert.deepEqual(ids(plan), [[], ['applied-web'], [], [], []]);
});

test('without a name an entry with other selectors is another one, and the old one is surplus', () => {
  const old = stored(wanted('/web', 'unix:uid:1'));
  const plan = planEntries([wanted('/web', 'unix:uid:7')], [own], [old]);
  assert.equal(plan.create.length, 1);
  assert.deepEqual(plan.surplus, [old]);
});

test('only what files of the same owner made is ever surplus', () => {
  const present = [
    stored(wanted('/a', 'unix:uid:1', { id: 'made-by-hand' })),
    stored(wanted('/b', 'unix:uid:1', { prefix: ownerPrefix('shop-team') })),
    stored(wanted('/c', 'unix:uid:1', { id: 'applied-c' })),
  ];
  assert.deepEqual(ids(planEntries([], [], present)), [[], [], [], [], []]);
  assert.deepEqual(ids(planEntries([], [own], present)), [[], [], [], [], ['applied-c']]);
  assert.deepEqual(ids(planEntries([], [ownerPrefix('shop-team')], present)).at(-1), [present[1]?.id]);
  assert.deepEqual(ids(planEntries([], [ownerPrefix('shop')], present)).at(-1), []);
});

test('what files of another owner made is left as it is, unless both want the same', () => {
  const theirs = stored(wanted('/web', 'unix:uid:1', { prefix: ownerPrefix('shop-team') }));
  const same = planEntries([wanted('/web', 'unix:uid:1')], [own], [theirs]);
  assert.deepEqual(ids(same), [[], [], [theirs.id], [], []]);
  const otherwise = planEntries([wanted('/web', 'unix:uid:1', { x509SvidTtl: 60 })], [own], [theirs]);
  assert.deepEqual(ids(otherwise), [[], [], [], [theirs.id], []]);
});

test('whatever is there, carrying a plan out leaves nothing to do, and touches nothing that it does not name', () => {
  const anyId = fc.constantFrom(undefined, 'applied-x', 'made-by-hand', 'applied.other.x');
  const any = fc
    .record({
      path: fc.constantFrom('/a', '/b'),
      selector: fc.constantFrom('unix:uid:1', 'unix:uid:2'),
      id: anyId,
      x509SvidTtl: fc.constantFrom(0, 60),
    })
    .map(({ path, selector, id, x509SvidTtl }) =>
      wanted(path, selector, { x509SvidTtl, ...(id === undefined ? {} : { id }) }),
    );
  const distinct = fc.uniqueArray(any, {
    comparator: (a, b) => a.id === b.id || (a.spiffeId === b.spiffeId && sameSelectors(a, b)),
  });
  fc.assert(
    fc.property(distinct, distinct, (files, server) => {
      const mine = files.filter(({ id }) => id !== 'made-by-hand' && id !== 'applied.other.x');
      const plan = planEntries(mine, [own], server.map(stored));
      const after = new Map(server.map((content) => [content.id, stored(content)]));
      for (const content of plan.create) after.set(content.id, stored(content));
      for (const { present, wanted: content } of plan.update) {
        after.set(present.id, stored({ ...content, id: present.id }));
      }
      for (const { id } of plan.surplus) after.delete(id);
      const again = planEntries(mine, [own], after.values());
      assert.deepEqual([again.create, again.update, again.surplus], [[], [], []]);
      for (const content of server) {
        const touched = [...plan.update.map(({ present }) => present), ...plan.surplus];
        if (!touched.some(({ id }) => id === content.id)) {
          assert.deepEqual(after.get(content.id), stored(content));
        }
      }
    }),
  );
});

function sameSelectors(a: IdentifiedContent, b: IdentifiedContent): boolean {
  return JSON.stringify(a.selectors) === JSON.stringify(b.selectors);
}
