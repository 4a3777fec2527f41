import assert from 'node:assert/strict';
import { after, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { postgresMissing, startPostgres } from '../../../test/support/postgres.js';
import { recorder } from '../../../test/support/recorder.js';
import { namedEntry } from '../../../test/support/store-contents.js';
import { systemClock } from '../../base/clock.js';
import { openFederatedBundles } from '../../server/federated-bundles.js';
import { openRegistry } from '../../server/registry.js';
import { storeFollower } from '../../server/store-follower.js';
import { parseSpiffeId, parseTrustDomain } from '../../spiffe/id.js';
import { openStore } from '../store.js';

const skip = postgresMissing();
const postgres = skip ? undefined : await startPostgres({ after });
const trustDomain = parseTrustDomain('shop.example');

function running() {
  if (!postgres) throw new Error('skipped');
  return postgres;
}

async function open(t: TestContext, url: string) {
  const store = await openStore({ dataDir: '', database: { url }, trustDomain, clock: systemClock });
  t.after(() => store.close());
  return store;
}

/** A writer that dawdles before and after it takes its position, and tells nobody. */
const slowWrite = (id: string) => `
  begin;
  select pg_sleep(random() * 0.01);
  update counters set value = value + 1 where name = 'position';
  select pg_sleep(random() * 0.01);
  insert into events select value, 'entry', '${id}' from counters where name = 'position';
  select pg_sleep(random() * 0.01);
  commit`;

/** Ends every connection that listens, as a network does that forgets them. */
const endListeners = `
  select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and query in ('listen plastron_events', 'select 1 as alive')`;

test('with ten writers that dawdle and listeners that are cut off, no reader ever misses an event', {
  skip,
}, async (t) => {
  const { newDatabase, sql } = running();
  const url = await newDatabase();
  const stores = await Promise.all(Array.from({ length: 7 }, () => open(t, url)));
  const readers = await Promise.all(stores.slice(0, 4).map((store) => recorder(store)));
  const writes = 25;
  const written: string[] = [];
  const write = async (name: string, one: (id: string) => Promise<unknown>) => {
    for (let i = 0; i < writes; i++) {
      const id = `${name}-${i}`;
      await sleep(Math.random() * 10);
      await one(id);
      written.push(id);
    }
  };
  await Promise.all([
    ...stores.slice(1).map((store, i) => write(`w${i}`, (id) => store.createEntries([namedEntry(id)]))),
    ...[0, 1, 2, 3].map((i) => write(`slow${i}`, (id) => sql(url, slowWrite(id)))),
    write('cut', (id) => sql(url, `${endListeners}; ${slowWrite(id)}`)),
  ]);
  for (const { events, resets, until } of readers) {
    await until(() => events.length >= written.length);
    assert.deepEqual(resets, []);
    assert.deepEqual(
      events.map(({ position }) => position),
      written.map((_, i) => i + 1),
    );
    assert.deepEqual(events.map(({ id }) => id).sort(), [...written].sort());
  }
});

test('what one server writes shows at another, and a ban there counts here (S12)', { skip }, async (t) => {
  const url = await running().newDatabase();
  const servers = await Promise.all([server(t, url), server(t, url)]);
  const [here, there] = servers;
  const id = parseSpiffeId('spiffe://shop.example/spire/agent/join_token/a');
  const agent = {
    id,
    attestationType: 'join_token',
    selectors: [],
    canReattest: false,
    serial: 's',
    expiresAt: 1,
  };
  await here.registry.createJoinToken({ hash: 'h', expiresAt: Date.now() + 60_000, aliasId: '' });
  const joinToken = await there.registry.joinToken('h');
  assert.ok(joinToken);
  await here.registry.attest({ agent, joinToken });
  await here.registry.createEntries([{ ...namedEntry('web'), parentId: id }]);
  await there.until(() => there.registry.authorisedEntries(id).size === 1);
  await there.registry.settleJoinToken('s');
  assert.equal(
    await here.registry.joinToken('h'),
    undefined,
    'the agent that arrived at the other server has used it up',
  );
  await there.registry.banAgent(id);
  await here.until(() => here.registry.authorisedEntries(id).size === 0);
  await here.registry.deleteEntries(['web']);
  await there.until(() => there.registry.entry('web') === undefined);
  await there.bundles.writeFederatedBundles([
    { how: 'set', trustDomain: parseTrustDomain('other.example'), change: {} },
  ]);
  await here.until(() => here.bundles.bundle(parseTrustDomain('other.example')) !== undefined);
  await here.registry.deleteAgent(id);
  await there.until(() => there.registry.agent(id) === undefined);
});

test('a database that was restored under a running server is read anew', { skip }, async (t) => {
  const { newDatabase, sql } = running();
  const url = await newDatabase();
  const { registry, until } = await server(t, url);
  await registry.createEntries([namedEntry('kept'), namedEntry('lost')]);
  await sql(
    url,
    `begin;
     delete from entries where id = 'lost';
     update meta set value = 'another' where key = 'epoch';
     commit`,
  );
  await until(() => registry.entry('lost') === undefined);
  assert.ok(registry.entry('kept'));
  await sql(
    url,
    "begin; update entries set hint = 'h', revision = 9; delete from events; update counters set value = 9 where name = 'position'; commit",
  );
  await until(() => registry.entry('kept')?.hint === 'h');
});

/** The memory of a server on the database. */
async function server(t: TestContext, url: string) {
  const store = await open(t, url);
  const since = await store.position();
  const registry = await openRegistry(store, trustDomain, systemClock);
  const bundles = await openFederatedBundles(store, registry);
  t.after(store.follow(since, storeFollower(registry, bundles)));
  const until = (isReached: () => boolean) =>
    new Promise<void>((resolve) => {
      const check = () => isReached() && resolve();
      registry.onChange(check);
      bundles.onChange(check);
      check();
    });
  return { registry, bundles, until };
}
