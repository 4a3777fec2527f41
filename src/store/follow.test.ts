import assert from 'node:assert/strict';
import { everyStore } from '../../test/support/every-store.js';
import { recorder } from '../../test/support/recorder.js';
import { namedEntry } from '../../test/support/store-contents.js';
import { parseSpiffeId, parseTrustDomain } from '../spiffe/id.js';

const agent = {
  id: parseSpiffeId('spiffe://shop.example/spire/agent/x509pop/a'),
  attestationType: 'x509pop',
  selectors: [],
  canReattest: true,
  serial: '1',
  expiresAt: 2_000_000_000_000,
};

everyStore('who follows hears of every write, and of what was deleted, in order', async ({ open }) => {
  const store = await open();
  await store.createEntries([namedEntry('before')]);
  const heard = await recorder(store);
  await store.createEntries([namedEntry('a'), namedEntry('b')]);
  await store.attest({ agent });
  await store.renewAgent(agent.id, { serial: '2', expiresAt: 2_000_000_000_000 });
  await store.activateAgent(agent.id, '2');
  await store.setAgentVersion(agent.id, '1.0');
  await store.updateEntries([{ id: 'a', change: { x509SvidTtl: 60 } }]);
  await store.deleteEntries(['b', 'before']);
  await store.writeFederatedBundles([
    { how: 'set', trustDomain: parseTrustDomain('other.example'), change: {} },
  ]);
  await store.banAgent(agent.id);
  await store.deleteAgent(agent.id);
  await heard.until(() => heard.events.length === 12);
  assert.deepEqual(
    heard.events.map(({ kind, id }) => (kind === 'agent' ? 'agent' : id)),
    [
      ...['a', 'b', 'agent', 'agent', 'agent', 'agent', 'a', 'b', 'before'],
      ...['other.example', 'agent', 'agent'],
    ],
  );
  assert.deepEqual([...heard.entries], ['a']);
});

everyStore(
  'who follows from a position that is not of this history is told everything anew',
  async ({ open }) => {
    const store = await open();
    await store.createEntries([namedEntry('a'), namedEntry('b')]);
    await store.deleteEntries(['a']);
    const { epoch, position } = await store.position();
    for (const since of [
      { epoch: 'another', position },
      { epoch, position: position + 100 },
    ]) {
      const heard = await recorder(store, since);
      await heard.until(() => heard.resets.length === 1);
      assert.deepEqual([...heard.entries], ['b']);
      await store.createEntries([namedEntry(`c${since.position}`)]);
      await heard.until(() => heard.events.length === 1);
      await heard.stop();
      await store.deleteEntries([`c${since.position}`]);
    }
  },
);

everyStore('who follows from far behind hears it in parts, without a gap', async ({ open }) => {
  const store = await open();
  const heard = await recorder(store, await store.position());
  const late = await store.position();
  await Promise.all(
    Array.from({ length: 11 }, (_, batch) =>
      store.createEntries(Array.from({ length: 100 }, (_, i) => namedEntry(`${batch}-${i}`))),
    ),
  );
  const behind = await recorder(store, late);
  for (const { events, entries, until } of [heard, behind]) {
    await until(() => entries.size === 1100);
    assert.deepEqual(
      events.map(({ position }) => position),
      Array.from({ length: 1100 }, (_, i) => i + 1),
    );
  }
});

everyStore('after stop nothing more is told', async ({ open }) => {
  const store = await open();
  const heard = await recorder(store);
  await heard.stop();
  await store.createEntries([namedEntry('a')]);
  const other = await recorder(store, heard.since);
  await other.until(() => other.events.length === 1);
  assert.deepEqual(heard.events, []);
});
