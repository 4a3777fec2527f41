import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'libsql';
import { serverCalls } from '../src/agent/server-calls.js';
import type { X509Svid } from '../src/spiffe/x509-svid.js';
import { silentLog } from '../src/telemetry/log.js';
import { dialTls } from '../src/transport/dial-tls.js';
import { type Ending, endingAfter, temporaryFolder } from '../test/support/children.js';
import { attest, createEntries, dial, entryMessage } from '../test/support/running-server.js';
import { node, tokenFor } from './agents.js';
import type { Bench, BenchRun, Figures } from './bench.js';
import { residentMb } from './process-usage.js';
import { besideSpire } from './rounds.js';
import { type BenchServer, startOurServer, startSpireServer } from './servers.js';
import { spirePrograms } from './spire.js';

/** What entries cost: the server's memory after a start with them, and the time of an agent that fetches them all. */
export const entries: Bench = {
  summary: 'memory of a server with so many entries, and how long an agent needs to fetch them all, anew',
  options: { counts: '10000,100000' },
  run: async (bench) => {
    const ours = await subject(bench, (run, folder) => startOurServer(run, folder), fillOurs);
    const programs = spirePrograms('SPIRE_SERVER_BIN');
    if ('missing' in programs) return besideSpire(bench, ours, programs);
    const theirs = await subject(
      bench,
      (run, folder) => startSpireServer(run, programs.SPIRE_SERVER_BIN, folder),
      async (server, count) => {
        await createEntries(server, entryNumber(0));
        return (folder) => multiplyInSpire(join(folder, 'spire.sqlite3'), count);
      },
    );
    return besideSpire(bench, ours, theirs);
  },
};

type Start = (ending: Ending, folder: string) => Promise<BenchServer>;

/** Fills a server's store while it runs; what is left to do when it is stopped comes back. */
type Fill = (server: BenchServer, count: number) => Promise<(folder: string) => void>;

/** A server for each count, started with its entries in the store; gives how to measure all of them once. */
async function subject(bench: BenchRun, start: Start, fill: Fill): Promise<() => Promise<Figures>> {
  const servers: { count: number; server: BenchServer; svid: X509Svid; figures: Figures }[] = [];
  for (const count of bench.option('counts').split(',').map(Number)) {
    const folder = temporaryFolder(bench);
    bench.note(`filling a store with ${count} entries`);
    const svid = await filled(start, fill, folder, count);
    const began = performance.now();
    const server = await start(bench, folder);
    const start_ms = performance.now() - began;
    await untilComplete(bench, server, svid, count);
    await sleep(3_000);
    const figures = { [`start_ms_${count}`]: start_ms, [`rss_mb_${count}`]: residentMb(server.pid) };
    servers.push({ count, server, svid, figures });
  }
  return async () => {
    const all: Record<string, number> = {};
    for (const { count, server, svid, figures } of servers) {
      const began = performance.now();
      await fetchAll(server, svid);
      Object.assign(all, figures, { [`sync_ms_${count}`]: performance.now() - began });
    }
    return all;
  };
}

/** A server's store with entries, and no server; gives the SVID of the agent that all of them are for. */
async function filled(start: Start, fill: Fill, folder: string, count: number): Promise<X509Svid> {
  const { svid, finish } = await endingAfter(async (ending) => {
    const server = await start(ending, folder);
    const agent = await attest(dial(ending, server), await tokenFor(server));
    return { svid: agent, finish: await fill(server, count) };
  });
  finish(folder);
  return svid;
}

const perCall = 500;

function entryNumber(index: number) {
  const selectors = ['unix:uid:1000', `unix:path:/opt/service-${index}`];
  return entryMessage(`/ns/shop/sa/service-${index}`, node, selectors);
}

async function fillOurs(server: BenchServer, count: number): Promise<() => void> {
  for (let from = 0; from < count; from += perCall) {
    const size = Math.min(perCall, count - from);
    await createEntries(server, ...Array.from({ length: size }, (_, index) => entryNumber(from + index)));
  }
  return () => {};
}

/** SPIRE's API takes some minutes for a hundred thousand entries: they are copied from the first one in its database. */
function multiplyInSpire(path: string, count: number): void {
  const database = new Database(path);
  try {
    const numbers = `with recursive n(i) as (select 1 union all select i + 1 from n where i < ${count - 1})`;
    const first = "spiffe_id = 'spiffe://shop.example/ns/shop/sa/service-0'";
    database.exec(`${numbers} insert into registered_entries (created_at, updated_at, entry_id, spiffe_id, parent_id,
      ttl, admin, downstream, expiry, revision_number, store_svid, hint, jwt_svid_ttl)
      select created_at, updated_at, 'bench-' || i, 'spiffe://shop.example/ns/shop/sa/service-' || i, parent_id,
      ttl, admin, downstream, expiry, revision_number, store_svid, hint, jwt_svid_ttl
      from n, (select * from registered_entries where ${first})`);
    const copies = "join registered_entries e on e.entry_id like 'bench-%'";
    database.exec(`insert into selectors (created_at, updated_at, registered_entry_id, type, value)
      select s.created_at, s.updated_at, e.id, s.type,
      case when s.value like 'path:%' then 'path:/opt/service-' || substr(e.entry_id, 7) else s.value end
      from (select * from selectors where registered_entry_id =
      (select id from registered_entries where ${first})) s ${copies}`);
  } finally {
    database.close();
  }
}

/** SPIRE's server needs a while to know all that is in its store. */
async function untilComplete(bench: BenchRun, server: BenchServer, svid: X509Svid, count: number) {
  for (;;) {
    const found = await fetchAll(server, svid);
    if (found >= count) return;
    bench.note(`${found} of ${count} entries are known yet`);
    await sleep(1_000);
  }
}

/** As an agent does that has none yet. */
async function fetchAll({ address }: BenchServer, svid: X509Svid): Promise<number> {
  const source = { current: () => svid, onChange: () => () => {} };
  const calls = serverCalls(dialTls({ address, svid: source, verifyServer: () => {} }), silentLog);
  try {
    return (await calls.syncEntries([])).length;
  } finally {
    calls.close();
  }
}
