import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTrustDomain } from '../spiffe/id.js';
import { checkEntry } from './check-entry.js';
import type { Entry } from './entry.js';
import { valueSharing } from './share-values.js';

function entry(id: string, path: string): Entry {
  const content = {
    spiffeId: `spiffe://shop.example${path}`,
    parentId: 'spiffe://shop.example/node/a',
    selectors: [{ type: 'unix', value: 'uid:1000' }],
    federatesWith: ['partner.example'],
  };
  return { ...checkEntry(content, parseTrustDomain('shop.example')), id, createdAt: 0, revision: 0 };
}

test('entries stay what they are, and those that have something in common have it once', () => {
  const share = valueSharing();
  const [a, b] = [entry('a', '/a'), entry('b', '/b')];
  const [sharedA, sharedB] = [share(a), share(b)];
  assert.deepEqual([sharedA, sharedB], [a, b]);
  assert.equal(sharedA.selectors, sharedB.selectors);
  assert.equal(sharedA.dnsNames, sharedB.dnsNames);
});
