import { fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { makeCsr } from '../src/ca/csr.js';
import type { X509Svid } from '../src/spiffe/x509-svid.js';
import { encode } from '../src/wire/messages.js';
import { type Ending, endChild } from '../test/support/children.js';
import {
  attest,
  createEntries,
  dial,
  entryMessage,
  newKey,
  svidApi,
} from '../test/support/running-server.js';
import { node, tokenFor } from './agents.js';
import type { Bench, BenchRun, Figures } from './bench.js';
import type { Load, LoadAnswer, LoadStart } from './issue-load.js';
import { cpuSeconds, residentMb } from './process-usage.js';
import { besideSpire, quantile } from './rounds.js';
import { type BenchServer, startOurServer, startSpireServer } from './servers.js';
import { spirePrograms } from './spire.js';

/** X.509-SVIDs from CSR to chain, through gRPC over mTLS, as an agent asks for them. */
export const issue: Bench = {
  summary:
    'SVIDs signed through the server API, in batches of 100, one by one, and one beside batches of 500',
  options: { seconds: '3' },
  run: async (bench) => {
    const workloads = Array.from({ length: workloadCount }, (_, index) => workload(index));
    const ours = await subject(bench, await startOurServer(bench), workloads);
    const programs = spirePrograms('SPIRE_SERVER_BIN');
    if ('missing' in programs) return besideSpire(bench, ours, programs);
    const server = await startSpireServer(bench, programs.SPIRE_SERVER_BIN);
    return besideSpire(bench, ours, await subject(bench, server, workloads));
  },
};

/** As many as the largest batch has. */
const workloadCount = 500;

interface Workload {
  readonly entryId: string;
  readonly path: string;
  readonly csr: Uint8Array;
}

function workload(index: number): Workload {
  const path = `/workload/${index}`;
  return { entryId: `bench-${index}`, path, csr: makeCsr(newKey(), `spiffe://shop.example${path}`) };
}

/** Prepares a server, its agent and the process that will load it; gives how to measure it once. */
async function subject(
  bench: BenchRun,
  server: BenchServer,
  workloads: readonly Workload[],
): Promise<() => Promise<Figures>> {
  await sleep(2_000);
  const idle_mb = residentMb(server.pid);
  const svid = await preparedAgent(bench, server, workloads);
  await checkOnce(bench, server, svid, workloads[0]);
  const load = loader(bench, { address: server.address, svid, requests: requestsOf(workloads) });
  const ms = Number(bench.option('seconds')) * 1000;
  // What is compiled or opened at first use is not what is measured.
  await load({ kind: 'batches', ms: 1_000 });
  return async () => {
    const before = cpuSeconds(server.pid);
    const batched = await load({ kind: 'batches', ms });
    const afterBatches = cpuSeconds(server.pid);
    const single = await load({ kind: 'singles', ms });
    const afterSingles = cpuSeconds(server.pid);
    const beside = await load({ kind: 'single beside batches', ms });
    return {
      batched_per_s: batched.issued / batched.seconds,
      batched_per_cpu_s: batched.issued / (afterBatches - before),
      single_per_s: single.issued / single.seconds,
      single_per_cpu_s: single.issued / (afterSingles - afterBatches),
      single_beside_batches_p50_ms: quantile(beside.singleMs, 0.5),
      single_beside_batches_p99_ms: quantile(beside.singleMs, 0.99),
      idle_mb,
      busy_mb: residentMb(server.pid),
    };
  };
}

async function preparedAgent(
  ending: Ending,
  server: BenchServer,
  workloads: readonly Workload[],
): Promise<X509Svid> {
  const token = await tokenFor(server);
  const entries = workloads.map(({ entryId, path }) =>
    entryMessage(path, node, ['unix:uid:1'], { id: entryId }),
  );
  await createEntries(server, ...entries);
  return attest(dial(ending, server), token);
}

/** A whole exchange, read in full: the load itself looks at the statuses only. SPIRE needs a moment to know a new entry. */
async function checkOnce(ending: Ending, server: BenchServer, svid: X509Svid, workload?: Workload) {
  const connection = dial(ending, server, svid);
  for (let attempt = 1; ; attempt++) {
    const { results = [] } = await connection.unary(svidApi.BatchNewX509SVID, {
      params: [{ entry_id: workload?.entryId ?? '', csr: workload?.csr ?? Buffer.alloc(0) }],
    });
    const [result] = results;
    const chain = result?.svid?.cert_chain ?? [];
    if (chain.length > 0 && result?.svid?.id?.path === workload?.path) return;
    if (attempt === 40) throw new Error(`no SVID was issued: ${JSON.stringify(result?.status)}`);
    await sleep(500);
  }
}

/** Requests ready to be sent: of one workload each, of 100, of all. */
function requestsOf(workloads: readonly Workload[]): LoadStart['requests'] {
  const params = workloads.map(({ entryId, csr }) => ({ entry_id: entryId, csr }));
  const request = (from: number, to: number) =>
    encode('spire.api.server.svid.v1.BatchNewX509SVIDRequest', { params: params.slice(from, to) });
  const inSteps = (size: number) =>
    Array.from({ length: params.length / size }, (_, index) => request(index * size, (index + 1) * size));
  return { ones: inSteps(1), hundreds: inSteps(100), all: request(0, params.length) };
}

/** A process of its own that makes the calls. */
function loader(ending: Ending, start: LoadStart): (load: Load) => Promise<LoadAnswer> {
  const child = fork(fileURLToPath(new URL('./issue-load.js', import.meta.url)), {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  ending.after(() => endChild(child));
  child.send(start);
  return (load) =>
    new Promise((resolve, reject) => {
      const gone = () => reject(new Error('the process that makes the calls ended'));
      child.once('exit', gone);
      child.once('message', (answer) => {
        child.off('exit', gone);
        // What issue-load.ts sends.
        resolve(answer as LoadAnswer);
      });
      child.send(load);
    });
}
