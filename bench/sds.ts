import { fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { testCa } from '../test/support/ca.js';
import { type Ending, endChild, endingAfter } from '../test/support/children.js';
import { bundleApi, createEntries, entryMessage } from '../test/support/running-server.js';
import {
  type BenchAgent,
  node,
  type StartAgent,
  selectors,
  startOurAgent,
  startSpireAgent,
} from './agents.js';
import type { Bench, BenchRun, Figures } from './bench.js';
import { residentMb } from './process-usage.js';
import { besideSpire, quantile } from './rounds.js';
import type { FromClients, ToClients } from './sds-clients.js';
import { type BenchServer, startOurServer, startSpireServer } from './servers.js';
import { spirePrograms } from './spire.js';

/** Envoys of one node: each a connection and a stream of its own, state of the world, which SPIRE's agent knows too. */
export const sds: Bench = {
  summary: 'many open SDS streams: first secret, memory, and a bundle that changes for all of them',
  options: { streams: '1000,5000' },
  run: async (bench) => {
    const counts = bench.option('streams').split(',').map(Number);
    const ours = await subject(bench, counts, await startOurServer(bench), startOurAgent);
    const programs = spirePrograms('SPIRE_SERVER_BIN', 'SPIRE_AGENT_BIN');
    if ('missing' in programs) return besideSpire(bench, ours, programs);
    const theirServer = await startSpireServer(bench, programs.SPIRE_SERVER_BIN);
    const startAgent: StartAgent = (ending, server) =>
      startSpireAgent(ending, server, programs.SPIRE_AGENT_BIN);
    return besideSpire(bench, ours, await subject(bench, counts, theirServer, startAgent));
  },
};

const partner = 'partner.example';

async function subject(
  bench: BenchRun,
  counts: readonly number[],
  server: BenchServer,
  startAgent: StartAgent,
): Promise<() => Promise<Figures>> {
  await changeBundle(server);
  await createEntries(server, entryMessage('/web', node, selectors, { federates_with: [partner] }));
  return async () => {
    let figures: Figures = {};
    // A new agent for each: what a process has once taken from the system it seldom gives back.
    for (const count of counts)
      figures = { ...figures, ...(await measure(bench, server, startAgent, count)) };
    return figures;
  };
}

/** A new authority of the federated trust domain, in place of the last one. */
async function changeBundle({ admin }: BenchServer): Promise<void> {
  const { bundle } = testCa(partner);
  const x509_authorities = bundle.x509Authorities.map(({ der }) => ({ asn1: Buffer.from(der) }));
  const { results = [] } = await admin.unary(bundleApi.BatchSetFederatedBundle, {
    bundle: [{ trust_domain: partner, x509_authorities }],
  });
  if (results[0]?.status?.code) throw new Error(`the bundle was not set: ${results[0].status.message}`);
}

function measure(
  { note }: BenchRun,
  server: BenchServer,
  startAgent: StartAgent,
  count: number,
): Promise<Figures> {
  return endingAfter(async (ending) => {
    const agent = await startAgent(ending, server);
    const clients = startClients(ending);
    await warmUp(clients, agent);
    const before = residentMb(agent.pid);
    const { firstMs, openedPerS } = await clients.open(agent.socket, count);
    const kb = ((residentMb(agent.pid) - before) * 1024) / count;
    const changes: { allMs: number; spreadMs: number }[] = [];
    for (let change = 0; change < 3; change++) changes.push(await clients.change(() => changeBundle(server)));
    note(`${count} streams: ${kb.toFixed(1)} KB each`);
    return {
      [`first_p50_ms_${count}`]: quantile(firstMs, 0.5),
      [`first_p99_ms_${count}`]: quantile(firstMs, 0.99),
      [`opened_per_s_${count}`]: openedPerS,
      [`rotate_all_ms_${count}`]: quantile(
        changes.map(({ allMs }) => allMs),
        0.5,
      ),
      [`rotate_spread_ms_${count}`]: quantile(
        changes.map(({ spreadMs }) => spreadMs),
        0.5,
      ),
      [`kb_per_stream_${count}`]: kb,
    };
  });
}

const names = ['default', 'ALL'];

/** Waits until the agent serves, and has it compile and cache what it will need. */
async function warmUp(clients: Clients, { socket }: BenchAgent): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await clients.probe(socket);
      break;
    } catch (error) {
      if (attempt === 100) throw error;
      await sleep(100);
    }
  }
  await clients.open(socket, 200);
  await clients.close();
  await sleep(500);
}

type Clients = ReturnType<typeof startClients>;

function startClients(ending: Ending) {
  const start = () => {
    const child = fork(fileURLToPath(new URL('./sds-clients.js', import.meta.url)), {
      stdio: ['ignore', 'ignore', process.env.VERBOSE ? 'inherit' : 'ignore', 'ipc'],
    });
    ending.after(() => endChild(child));
    const next = <Did extends FromClients['did']>(did: Did) =>
      new Promise<Extract<FromClients, { did: Did }>>((resolve, reject) => {
        const onExit = () => reject(new Error('the process of the clients ended'));
        child.once('exit', onExit);
        child.once('message', (message: FromClients) => {
          child.removeListener('exit', onExit);
          if (message.did === did) resolve(message as Extract<FromClients, { did: Did }>);
          else reject(new Error(`the clients say ${message.did} in place of ${did}`));
        });
      });
    const ask = <Did extends FromClients['did']>(message: ToClients, did: Did) => {
      const answer = next(did);
      child.send(message);
      return answer;
    };
    return { ask, next };
  };
  let clients: ReturnType<typeof start> | undefined;
  const all = () => {
    clients ??= start();
    return clients;
  };
  return {
    /** Rejects while the agent does not serve yet. */
    probe: (socket: string) => start().ask({ do: 'open', socket, count: 1, names }, 'open'),
    open: (socket: string, count: number) => all().ask({ do: 'open', socket, count, names }, 'open'),
    close: () => all().ask({ do: 'close' }, 'close'),
    /** From the call that changes something to the last stream; and from the first stream to the last. */
    change: async (make: () => Promise<void>) => {
      await all().ask({ do: 'watch' }, 'watch');
      const seen = all().next('see');
      const made = Date.now();
      await make();
      const { firstAt, lastAt } = await seen;
      return { allMs: lastAt - made, spreadMs: lastAt - firstAt };
    },
  };
}
