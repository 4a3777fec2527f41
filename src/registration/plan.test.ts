import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTrustDomain } from '../spiffe/id.js';
import { checkEntry } from './check-entry.js';
import type { Entry, EntryDraft } from './entry.js';
import { planEntries } from './plan.js';
import { parseSelector } from './selector.js';

const trustDomain = parseTrustDomain('shop.example');

function draft(path: string, selector: string, more: { id?: string; x509SvidTtl?: number } = {}): EntryDraft {
  const parentId = 'spiffe://shop.example/node/demo';
  const selectors = [parseSelector(selector)];
  return checkEntry({ spiffeId: `spiffe://shop.example${path}`, parentId, selectors, ...more }, trustDomain);
}

function stored(content: EntryDraft & { id: string }): Entry {
  return { ...content, createdAt: 1, revision: 0 };
}

function ids(plan: ReturnType<typeof planEntries>) {
  const of = (entries: readonly { id: string }[]) => entries.map(({ id }) => id);
  return [of(plan.create), of(plan.update), of(plan.unchanged), of(plan.surplus)];
}

test('applying the same files twice creates everything once and then changes nothing', () => {
  const wanted = [draft('/web', 'unix:uid:1'), draft('/orders', 'unix:uid:2', { id: 'applied-orders' })];
  const first = planEntries(wanted, []);
  assert.equal(first.create.length, 2);
  const second = planEntries(wanted, first.create.map(stored));
  assert.deepEqual(ids(second), [[], [], first.create.map(({ id }) => id), []]);
});

test('a changed lifetime is an update in place', () => {
  const present = stored({ ...draft('/web', 'unix:uid:1'), id: 'made-by-hand' });
  const plan = planEntries([draft('/web', 'unix:uid:1', { x509SvidTtl: 60 })], [present]);
  assert.deepEqual(ids(plan), [[], ['made-by-hand'], [], []]);
});

test('with a name even the selectors change in place', () => {
  const present = stored({ ...draft('/web', 'unix:uid:1'), id: 'applied-web' });
  const plan = planEntries([draft('/web', 'unix:uid:7', { id: 'applied-web' })], [present]);
  assert.deepEqual(ids(plan), [[], ['applied-web'], [], []]);
});

test('without a name an entry with other selectors is another one, and the old one is surplus', () => {
  const [old] = planEntries([draft('/web', 'unix:uid:1')], []).create.map(stored);
  assert.ok(old);
  const plan = planEntries([draft('/web', 'unix:uid:7')], [old]);
  assert.equal(plan.create.length, 1);
  assert.deepEqual(plan.surplus, [old]);
});

test('entries that no file made are never surplus', () => {
  const present = stored({ ...draft('/web', 'unix:uid:1'), id: 'made-by-hand' });
  assert.deepEqual(ids(planEntries([], [present])), [[], [], [], []]);
});
