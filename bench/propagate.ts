import { fork } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { dialUnix } from '../src/transport/dial-unix.js';
import { decode, typeUrlOf } from '../src/wire/messages.js';
import { serviceDefinition } from '../src/wire/services.js';
import { type Ending, endChild } from '../test/support/children.js';
import { createEntries, entryApi, entryMessage, joinToken } from '../test/support/running-server.js';
import { node, selectors, startOurAgent, startSpireAgent } from './agents.js';
import type { Bench, BenchRun, Figures } from './bench.js';
import type { LightAgents } from './light-agents.js';
import { besideSpire, quantile } from './rounds.js';
import { type BenchServer, startOurServer, startSpireServer } from './servers.js';
import { spirePrograms } from './spire.js';

/** From the answer to BatchCreateEntry to the SVID on an SDS stream that an agent has open. */
export const propagate: Bench = {
  summary:
    'entry created -> its SVID on an open SDS stream, with other agents connected and entries of their own',
  options: { agents: '1000', entries: '100', 'spire-entries': '3' },
  run: async (bench) => {
    const ours = await ourSubject(bench);
    const agents = Number(bench.option('agents'));
    const programs = spirePrograms('SPIRE_SERVER_BIN', 'SPIRE_AGENT_BIN');
    const spire = 'missing' in programs ? programs : await spireSubject(bench, programs);
    const report = await besideSpire(bench, ours, spire);
    return { ...report, ours: { ...report.ours, agents } };
  },
};

async function ourSubject(bench: BenchRun): Promise<() => Promise<Figures>> {
  const server = await startOurServer(bench);
  await connectLightAgents(bench, server, Number(bench.option('agents')));
  const { socket } = await startOurAgent(bench, server);
  return subject(bench, server, socket, Number(bench.option('entries')));
}

async function spireSubject(
  bench: BenchRun,
  programs: Readonly<Record<'SPIRE_SERVER_BIN' | 'SPIRE_AGENT_BIN', string>>,
): Promise<() => Promise<Figures>> {
  const server = await startSpireServer(bench, programs.SPIRE_SERVER_BIN);
  const { socket } = await startSpireAgent(bench, server, programs.SPIRE_AGENT_BIN);
  return subject(bench, server, socket, Number(bench.option('spire-entries')));
}

/** Agents with ten entries each, all connected when this resolves. */
async function connectLightAgents(bench: BenchRun, server: BenchServer, count: number): Promise<void> {
  if (count === 0) return;
  bench.note(`connecting ${count} agents`);
  const tokens: string[] = [];
  for (let agent = 0; agent < count; agent++) {
    const token = await joinToken(server, { ttl: 3600 });
    tokens.push(token);
    const parent = `/spire/agent/join_token/${token}`;
    const entries = Array.from({ length: 10 }, (_, index) =>
      entryMessage(`/light/${agent}/${index}`, parent, ['unix:uid:1']),
    );
    await createEntries(server, ...entries);
  }
  const child = fork(fileURLToPath(new URL('./light-agents.js', import.meta.url)), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  bench.after(() => endChild(child));
  child.send({ address: server.address, tokens } satisfies LightAgents);
  await new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve());
    child.once('exit', () => reject(new Error('the process of the agents ended')));
  });
}

/** A workload of the agent at `socket`, with a first SVID; gives how to measure how long others take to come. */
async function subject(
  bench: BenchRun,
  server: BenchServer,
  socket: string,
  count: number,
): Promise<() => Promise<Figures>> {
  await createEntries(server, entryMessage('/first', node, selectors));
  const arrived = followSvids(bench, socket);
  await arrived('spiffe://shop.example/first');
  let next = 0;
  return async () => {
    const tookMs: number[] = [];
    for (let left = count; left > 0; left--) {
      const path = `/propagate/${next++}`;
      const svid = arrived(`spiffe://shop.example${path}`);
      const [id = ''] = await createEntries(server, entryMessage(path, node, selectors));
      const acknowledged = performance.now();
      tookMs.push(Math.max(0, (await svid) - acknowledged));
      await server.admin.unary(entryApi.BatchDeleteEntry, { ids: [id] });
      // So that no entry meets the work for another one.
      await sleep(20);
    }
    return { p50_ms: quantile(tookMs, 0.5), p99_ms: quantile(tookMs, 0.99) };
  };
}

const secret = 'envoy.extensions.transport_sockets.tls.v3.Secret';

/** Asks an agent for all secrets, state of the world, which SPIRE's agent knows too; gives when one of a name first came. */
function followSvids(ending: Ending, socket: string): (name: string) => Promise<number> {
  const waiting = new Map<string, (at: number) => void>();
  let isOver = false;
  ending.after(() => {
    isOver = true;
  });
  void (async () => {
    while (!isOver) {
      // SPIRE's agent refuses a workload that has no entry yet; and the socket is not there at first.
      await readStream(socket, (name) => {
        waiting.get(name)?.(performance.now());
        waiting.delete(name);
      }).catch(() => sleep(100));
    }
  })();
  return (name) => new Promise((resolve) => waiting.set(name, resolve));
}

async function readStream(socket: string, came: (name: string) => void): Promise<void> {
  const { StreamSecrets } = serviceDefinition('envoy.service.secret.v3.SecretDiscoveryService');
  const connection = dialUnix(socket);
  try {
    const stream = connection.stream(StreamSecrets);
    const type_url = typeUrlOf(secret);
    stream.send({ type_url, node: { id: 'bench' } });
    for await (const { resources = [], version_info = '', nonce = '' } of stream.responses) {
      for (const resource of resources) {
        const { value = Buffer.alloc(0) } = resource as { value?: Buffer };
        const { name = '', tls_certificate } = decode(secret, value);
        if (tls_certificate) came(name);
      }
      stream.send({ type_url, version_info, response_nonce: nonce });
    }
  } finally {
    connection.close();
  }
}
