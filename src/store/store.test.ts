import assert from 'node:assert/strict';
import { everyStore } from '../../test/support/every-store.js';
import { agentId, attestation, entryContent } from '../../test/support/store-contents.js';
import { storedEntries } from '../../test/support/stored-entries.js';
import { isFault } from '../base/faults/fault.js';
import type { EntryContent } from '../registration/entry.js';
import { parseSpiffeId, parseTrustDomain } from '../spiffe/id.js';

const alias = parseSpiffeId('spiffe://shop.example/node/demo');

everyStore('entries come back as they were written, also after the store was closed', async ({ open }) => {
  const store = await open(5000);
  const full: EntryContent = {
    ...entryContent('/web', 'unix:uid:1', 'unix:path:/a "b"'),
    x509SvidTtl: 60,
    dnsNames: ['web', 'a.b'],
    federatesWith: [parseTrustDomain('other.example')],
    admin: true,
    hint: 'ünïcode ☃',
    expiresAt: 2 ** 40,
  };
  const bundles = [{ how: 'set', trustDomain: parseTrustDomain('other.example'), change: {} } as const];
  await store.writeFederatedBundles(bundles);
  const [outcome] = await store.createEntries([{ ...full, id: 'web' }]);
  assert.deepEqual(outcome, { kind: 'written', entry: { ...full, id: 'web', createdAt: 5, revision: 2 } });
  await store.close();
  const again = await open();
  assert.deepEqual(await storedEntries(again), [{ ...full, id: 'web', createdAt: 5, revision: 2 }]);
});

everyStore('a similar entry, or one with the same ID, is not written twice', async ({ open }) => {
  const store = await open();
  const web = entryContent('/web', 'unix:uid:1');
  const outcomes = await store.createEntries([
    { ...web, id: 'a' },
    { ...web, id: 'b' },
    { ...entryContent('/orders', 'unix:uid:2'), id: 'a' },
    { ...entryContent('/orders', 'unix:uid:2'), id: 'c' },
  ]);
  assert.deepEqual(
    outcomes.map((outcome) => [outcome.kind, 'entry' in outcome ? outcome.entry.id : '']),
    [
      ['written', 'a'],
      ['similar', 'a'],
      ['similar', 'a'],
      ['written', 'c'],
    ],
  );
});

everyStore(
  'an update changes what it names, never into another entry, and every state has a revision of its own',
  async ({ open }) => {
    const store = await open();
    await store.createEntries([
      { ...entryContent('/web', 'unix:uid:1'), id: 'web' },
      { ...entryContent('/orders', 'unix:uid:2'), id: 'orders' },
    ]);
    const [updated, missing, similar] = await store.updateEntries([
      { id: 'web', change: { x509SvidTtl: 30 } },
      { id: 'none', change: {} },
      { id: 'web', change: entryContent('/orders', 'unix:uid:2') },
    ]);
    assert.equal(updated?.kind === 'written' && updated.entry.x509SvidTtl, 30);
    assert.equal(missing?.kind, 'missing');
    assert.equal(similar?.kind === 'similar' && similar.entry.id, 'orders');
    assert.deepEqual(await store.deleteEntries(['web', 'web']), [true, false]);
    const [again] = await store.createEntries([{ ...entryContent('/web', 'unix:uid:1'), id: 'web' }]);
    assert.ok(again?.kind === 'written' && updated?.kind === 'written');
    assert.ok(again.entry.revision > updated.entry.revision);
  },
);

everyStore('of any number of attempts at one join token exactly one is recorded (S10)', async ({ open }) => {
  const store = await open();
  assert.equal(
    await store.createJoinToken({ hash: 'h', expiresAt: 1_700_000_060_000, aliasId: alias }),
    true,
  );
  assert.equal(await store.createJoinToken({ hash: 'h', expiresAt: 1_700_000_060_000, aliasId: '' }), false);
  const joinToken = await store.joinToken('h');
  assert.ok(joinToken);
  const attempts = Array.from({ length: 32 }, (_, i) => store.attest({ ...attestation(`a${i}`), joinToken }));
  const outcomes = await Promise.all(attempts);
  assert.equal(outcomes.filter(({ kind }) => kind === 'recorded').length, 1);
  const [agent] = await store.agents();
  const [entry] = await storedEntries(store);
  assert.equal(entry?.spiffeId, alias);
  assert.equal(entry?.parentId, agentId);
  assert.deepEqual(entry?.selectors, [{ type: 'spiffe_id', value: agentId }]);
  assert.deepEqual(await store.unsettledSerials(), [agent?.serial]);
  await store.settleJoinToken(agent?.serial ?? '');
  assert.equal(await store.joinToken('h'), undefined);
});

everyStore('expired join tokens are deleted, and settling nothing deletes nothing', async ({ open }) => {
  const store = await open();
  await store.createJoinToken({ hash: 'old', expiresAt: 1_699_999_999_999, aliasId: '' });
  await store.createJoinToken({ hash: 'new', expiresAt: 1_700_000_060_000, aliasId: '' });
  assert.equal(await store.joinToken('old'), undefined);
  await store.settleJoinToken('');
  assert.ok(await store.joinToken('new'));
});

everyStore(
  'an agent is renewed, activated, banned and deleted; a banned one is not recorded again (S12)',
  async ({ open }) => {
    const store = await open();
    await store.attest(attestation('s1'));
    await store.renewAgent(agentId, { serial: 's2', expiresAt: 1_700_000_900_000 });
    assert.equal(await store.activateAgent(agentId, 'other'), undefined);
    const active = await store.activateAgent(agentId, 's2');
    assert.deepEqual([active?.serial, active?.expiresAt, active?.nextSerial], ['s2', 1_700_000_900_000, '']);
    assert.equal((await store.setAgentVersion(agentId, '1.2'))?.version, '1.2');
    assert.equal((await store.banAgent(agentId))?.banned, true);
    assert.equal((await store.attest(attestation('s3'))).kind, 'banned');
    assert.equal(await store.renewAgent(agentId, { serial: 's4', expiresAt: 1 }), undefined);
    assert.deepEqual(await store.deleteAgent(agentId), { deleted: true });
    assert.deepEqual(await store.deleteAgent(agentId), { deleted: false });
    assert.equal((await store.attest(attestation('s5'))).kind, 'recorded');
  },
);

everyStore('deleting an agent deletes the alias of its join token too', async ({ open }) => {
  const store = await open();
  await store.createJoinToken({ hash: 'h', expiresAt: 1_700_000_060_000, aliasId: alias });
  const joinToken = await store.joinToken('h');
  assert.ok(joinToken);
  const recorded = await store.attest({ ...attestation('s'), joinToken });
  assert.ok(recorded.kind === 'recorded' && recorded.alias);
  assert.deepEqual(await store.deleteAgent(agentId), { deleted: true, aliasEntryId: recorded.alias.id });
  assert.deepEqual(await storedEntries(store), []);
});

everyStore(
  'the bundle sequence grows exactly when the contents change, and survives a restart (TB-02)',
  async ({ open }) => {
    const store = await open(0);
    assert.equal(await store.lastBundleSequence(), 0n);
    assert.equal(await store.bundleSequence('a'), 1n);
    assert.equal(await store.bundleSequence('a'), 1n);
    assert.equal(await store.bundleSequence('b'), 2n);
    await store.close();
    assert.equal(await (await open()).bundleSequence('b'), 2n);
  },
);

everyStore('after close every call is refused', async ({ open }) => {
  const store = await open(0);
  const last = store.bundleSequence('a');
  await store.close();
  assert.equal(await last, 1n);
  await assert.rejects(storedEntries(store), (error) => isFault(error, 'STO0204'));
});
