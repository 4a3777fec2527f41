import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { agentEntry } from '../../test/support/agent.js';
import { isFault } from '../base/faults/fault.js';
import { formatSelector } from '../registration/selector.js';
import { pathOf, trustDomainOf } from '../spiffe/id.js';
import { silentLog } from '../telemetry/log.js';
import type { MessageOut } from '../wire/names.js';
import { type AgentEntry, byPrecedence } from './snapshot.js';
import { type EntryExchange, syncEntries } from './sync-entries.js';

type Response = MessageOut<'spire.api.server.entry.v1.SyncAuthorizedEntriesResponse'>;

const names = ['web', 'orders', 'billing', 'stock', 'mail', 'audit', 'search'];

test('a small set of entries comes whole, in one answer', async () => {
  const entries = [agentEntry('web', { createdAt: 2 }), agentEntry('orders', { createdAt: 1 })];
  const server = fakeServer(entries, { pageSize: 500 });
  assert.deepEqual(await syncEntries(server, [], silentLog), [entries[1], entries[0]]);
  assert.deepEqual(server.askedFor, []);
});

test('no entry at all is a good answer', async () => {
  assert.deepEqual(await syncEntries(fakeServer([], { pageSize: 500 }), [agentEntry('web')], silentLog), []);
});

test('of a large set only what is new or changed is fetched, whatever the page size', async () => {
  const entry = fc.record({ name: fc.constantFrom(...names), revision: fc.nat(2), createdAt: fc.nat(2) });
  const set = fc
    .uniqueArray(entry, { selector: ({ name }) => name })
    .map((list) => list.map(({ name, ...rest }) => agentEntry(name, rest)));
  await fc.assert(
    fc.asyncProperty(set, set, fc.integer({ min: 1, max: 8 }), async (known, onServer, pageSize) => {
      const server = fakeServer(onServer, { pageSize });
      const synced = await syncEntries(server, known, silentLog);
      assert.deepEqual(synced, [...onServer].sort(byPrecedence));
      const same = (entry: AgentEntry) =>
        known.find(
          ({ id, revision, createdAt }) =>
            id === entry.id && revision === entry.revision && createdAt === entry.createdAt,
        );
      for (const entry of synced) assert.equal(entry, same(entry) ?? entry);
      if (onServer.length > pageSize) {
        const changed = onServer.filter((entry) => !same(entry)).map(({ id }) => id);
        assert.deepEqual(server.askedFor, changed.sort());
      }
    }),
  );
});

test('an entry that cannot be read, or is meant for no workload, is left out; the others count', async () => {
  const good = message(agentEntry('web'));
  const answers: Response[] = [
    {
      entries: [
        { ...good, id: 'no-selector', selectors: [] },
        { ...good, id: 'bad-id', spiffe_id: { trust_domain: 'shop.example', path: '/../web' } },
        { ...good, id: 'stored', store_svid: true },
        good,
      ],
    },
  ];
  assert.deepEqual(await syncEntries(scripted(answers), [], silentLog), [agentEntry('web')]);
});

test('a server that mixes entries and revisions is not believed', async () => {
  const revision = { id: 'entry-web', revision_number: '1', created_at: '1' };
  const entry = message(agentEntry('web'));
  const conversations: Response[][] = [
    [{ entry_revisions: [revision], entries: [entry] }],
    [{ entry_revisions: [revision], more: true }, { entries: [entry] }],
    [{ entry_revisions: [revision] }, { entry_revisions: [revision] }],
  ];
  for (const answers of conversations) {
    await assert.rejects(syncEntries(scripted(answers), [], silentLog), (error) => isFault(error, 'AGT0501'));
  }
});

test('an entry that was not asked for is not taken', async () => {
  const answers: Response[] = [
    { entry_revisions: [{ id: 'entry-web', revision_number: '1', created_at: '1' }] },
    { entries: [message(agentEntry('orders'))] },
  ];
  assert.deepEqual(await syncEntries(scripted(answers), [], silentLog), []);
});

/** The server's half of the protocol: whole sets up to a page, else pages of revisions and of what is asked for. */
function fakeServer(
  entries: readonly AgentEntry[],
  { pageSize }: { pageSize: number },
): EntryExchange & { askedFor: string[] } {
  const queue: Response[] = [];
  const askedFor: string[] = [];
  const revisions = entries.map(({ id, revision, createdAt }) => ({
    id,
    revision_number: String(revision),
    created_at: String(createdAt),
  }));
  return {
    askedFor,
    send({ output_mask, ids = [] }) {
      askedFor.push(...ids);
      if (ids.length > 0) {
        queue.push({ entries: entries.filter(({ id }) => ids.includes(id)).map(message) });
      } else if (entries.length <= pageSize) {
        assert.equal(output_mask?.revision_number, true);
        queue.push({ entries: entries.map(message) });
      } else {
        for (let from = 0; from < revisions.length; from += pageSize) {
          const more = from + pageSize < revisions.length;
          queue.push({ entry_revisions: revisions.slice(from, from + pageSize), more });
        }
      }
    },
    receive: async () => queue.shift() ?? assert.fail('nothing more to receive'),
  };
}

function scripted(answers: Response[]): EntryExchange {
  return { send: () => undefined, receive: async () => answers.shift() ?? assert.fail('nothing more') };
}

function message(entry: AgentEntry): NonNullable<Response['entries']>[number] {
  return {
    id: entry.id,
    spiffe_id: { trust_domain: trustDomainOf(entry.spiffeId), path: pathOf(entry.spiffeId) },
    selectors: entry.selectors.map((selector) => {
      const [type = '', ...value] = formatSelector(selector).split(':');
      return { type, value: value.join(':') };
    }),
    federates_with: [...entry.federatesWith],
    hint: entry.hint,
    created_at: String(entry.createdAt),
    revision_number: String(entry.revision),
  };
}
