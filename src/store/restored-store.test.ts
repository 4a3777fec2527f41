import assert from 'node:assert/strict';
import { everyStore } from '../../test/support/every-store.js';
import { agentId, attestation, namedEntry } from '../../test/support/store-contents.js';
import { storedEntries } from '../../test/support/stored-entries.js';
import type { StoreChanges, StoreContents } from '../server/ports.js';
import { parseTrustDomain } from '../spiffe/id.js';
import { takeOverRestored } from './restored-store.js';

const trustDomain = parseTrustDomain('shop.example');
const now = 1_700_000_000_000;
const clock = { now: () => now };

everyStore(
  'a restored store goes on far behind whatever the lost one has given out since',
  async ({ open, where }) => {
    const lost = await open();
    await lost.createEntries([namedEntry('web'), namedEntry('orders')]);
    await lost.attest(attestation('s', 5));
    await lost.banAgent(agentId);
    await lost.createJoinToken({ hash: 'h', expiresAt: now + 60_000, aliasId: '' });
    const sequence = await lost.bundleSequence('contents');
    const before = {
      entries: await storedEntries(lost),
      agents: await lost.agents(),
      at: await lost.position(),
    };
    assert.equal(await lost.restoredAt(), undefined);
    await lost.close();

    const counts = await takeOverRestored({ ...where, trustDomain, clock });
    assert.deepEqual(counts, { entries: 2, agents: 1, bannedAgents: 1, joinTokens: 1, federatedBundles: 0 });
    const store = await open();
    const at = await store.position();
    assert.notEqual(at.epoch, before.at.epoch);
    assert.ok(at.position - before.at.position > 1e12);
    assert.deepEqual(
      (await storedEntries(store)).map(({ revision, ...same }) => same),
      before.entries.map(({ revision, ...same }) => same),
    );
    const revisions = (await storedEntries(store)).map(({ revision }) => revision);
    assert.ok(Math.min(...revisions) > before.at.position + 1e12);
    assert.ok(Math.max(...revisions) <= at.position);
    assert.deepEqual(await store.agents(), before.agents);
    assert.equal(await store.joinToken('h'), undefined);
    assert.ok((await store.bundleSequence('contents')) > sequence + 1_000_000_000_000n);
    assert.equal(await store.restoredAt(), now);
  },
);

everyStore(
  'who followed the lost store reads everything of the restored one, and then each change',
  async ({ open, where }) => {
    const lost = await open();
    await lost.createEntries([namedEntry('web')]);
    const since = await lost.position();
    await lost.close();
    await takeOverRestored({ ...where, trustDomain, clock });
    const store = await open();
    const [resets, changes]: [StoreContents[], StoreChanges[]] = [[], []];
    const told = new Promise<void>((resolve) => {
      store.follow(since, {
        reset: (contents) => void resets.push(contents),
        changes: (change) => {
          changes.push(change);
          resolve();
        },
      });
    });
    while (resets.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await store.createEntries([namedEntry('orders')]);
    await told;
    assert.deepEqual(
      resets[0]?.entries.map(({ id }) => id),
      ['web'],
    );
    assert.deepEqual(
      changes[0]?.contents.entries.map(({ id }) => id),
      ['orders'],
    );
  },
);

everyStore('a store can be restored thousands of times before its numbers end', async ({ open, where }) => {
  const lost = await open();
  await lost.createEntries([namedEntry('web')]);
  await lost.close();
  for (let restore = 0; restore < 3; restore++) await takeOverRestored({ ...where, trustDomain, clock });
  const { position } = await (await open()).position();
  assert.ok(position * 1000 < Number.MAX_SAFE_INTEGER);
});

everyStore(
  'an agent takes over what is newer than the last that is known, and nothing while it is banned',
  async ({ open }) => {
    const store = await open();
    await store.attest(attestation('a', 1000));
    await store.renewAgent(agentId, { serial: 'b', expiresAt: 1500 });
    const shown = (serial: string, expiresAt: number) => store.catchUpAgent(agentId, { serial, expiresAt });
    assert.equal(await shown('older', 1000), undefined);
    const caughtUp = await shown('c', 2000);
    assert.deepEqual(
      [caughtUp?.serial, caughtUp?.expiresAt, caughtUp?.nextSerial, caughtUp?.nextExpiresAt],
      ['c', 2000, '', 0],
    );
    await store.banAgent(agentId);
    assert.equal(await shown('d', 3000), undefined);
  },
);
