import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findEnvoy } from '../../src/demo/envoy-binary.js';
import type { Job } from '../../src/demo/processes.js';
import {
  inboundPort,
  isLive,
  type Service,
  type ServiceName,
  startService,
} from '../../src/demo/services.js';
import { openStage } from '../../src/demo/stage.js';
import { startTrustDomain } from '../../src/demo/trust-domain.js';
import { dialUnix } from '../../src/transport/dial-unix.js';
import type { GrpcConnection } from '../../src/transport/grpc-client.js';
import type { MessageOut } from '../../src/wire/names.js';
import { serviceDefinition } from '../../src/wire/services.js';
import type { Ending } from './children.js';
import { waitFor } from './shop.js';

export type Role = 'server' | 'agent';

/** The demo's processes, to be killed and started again: a server, an agent, and services behind real Envoys. */
export interface RunningShop {
  readonly services: ReadonlyMap<ServiceName, Service>;
  /** Where an Envoy listens for callers. */
  port(service: ServiceName): number;
  /** The server's admin socket; it answers whichever server lives. */
  readonly admin: GrpcConnection;
  readonly agentSocket: string;
  /** Puts this policy into the server's folder, as editors do. */
  save(policy: string): void;
  /** SIGKILL; resolves when the process is gone. */
  kill(role: Role): Promise<void>;
  /** By the same command as the first time; does not wait. */
  start(role: Role): void;
  /** Starts the Envoy of a service that nobody calls. */
  startCaller(name: ServiceName): Service;
  /** What the agent that lives now says of itself; waits for it to answer. */
  agentInfo(): Promise<MessageOut<'spire.agent.debug.v1.GetInfoResponse'>>;
  /** Resolves when the agent that lives now has found the server that lives now, for entries and for policies. */
  connected(): Promise<void>;
  /** What a process wrote in all its lives. */
  log(role: Role): string;
  /** The agent has attested: nobody needs its token any more. */
  removeToken(): void;
}

/** Starts the server, the agent, `orders` and `web` as `plastron demo` does; resolves when both Envoys are live. */
export async function startShop(
  ending: Ending,
  policy: string,
  // Longer than any outage in the tests: what becomes of SVIDs that nobody renews is another story.
  svidSeconds = 300,
): Promise<RunningShop> {
  const envoy = await findEnvoy(process.env, (sentence) => console.error(sentence));
  const stage = openStage(envoy, process.env, new AbortController().signal);
  ending.after(() => stage.close(false));
  const at = (name: string) => join(stage.folder, name);
  const jobs = new Map<string, { job: Job; pid: number | undefined }>();
  const crew = {
    start: (job: Job) => {
      const pid = stage.crew.start(job);
      jobs.set(job.name, { job, pid });
      return pid;
    },
    stop: () => stage.crew.stop(),
  };
  mkdirSync(at('policy'));
  const save = (text: string) => {
    writeFileSync(at('policy/.shop.yaml'), text);
    renameSync(at('policy/.shop.yaml'), at('policy/shop.yaml'));
  };
  save(policy);
  const options = { policyFolder: at('policy'), svidSeconds };
  const { address, adminSocket, agentSocket, agentAdminSocket } = await startTrustDomain(
    { ...stage, crew },
    options,
  );
  const admin = dialUnix(adminSocket);
  const agentAdmin = dialUnix(agentAdminSocket);
  ending.after(() => {
    admin.close();
    agentAdmin.close();
  });

  const services = new Map(stage.services.map((service) => [service.name, service]));
  const ports = new Map<ServiceName, number>();
  const startEnvoyOf = (name: ServiceName): Service => {
    const service = services.get(name);
    if (!service) throw new Error(`there is no service ${name}`);
    startService(crew, service, agentSocket, ports);
    return service;
  };
  for (const name of ['orders', 'web'] as const) {
    const service = startEnvoyOf(name);
    ports.set(name, await waitFor(() => orUndefined(inboundPort(service)), `the Envoy of ${name}`));
  }
  for (const name of ports.keys()) {
    const service = services.get(name);
    await waitFor(() => service && orUndefined(isLive(service)), `the SVID of ${name}`);
  }

  let lastStart = 0;
  const agentInfo = () =>
    waitFor(
      () => orUndefined(agentAdmin.unary(serviceDefinition('spire.agent.debug.v1.Debug').GetInfo, {})),
      'the agent',
    );
  return {
    services,
    port: (name) => ports.get(name) ?? 0,
    admin,
    agentSocket,
    save,
    kill: async (role) => {
      const pid = jobs.get(role)?.pid ?? 0;
      process.kill(pid, 'SIGKILL');
      while (isThere(pid)) await sleep(2);
    },
    start: (role) => {
      const known = jobs.get(role);
      lastStart = Math.floor(Date.now() / 1000);
      if (known) crew.start(known.job);
    },
    startCaller: startEnvoyOf,
    agentInfo,
    connected: async () => {
      await waitFor(() => connectionsTo(address) >= 1, 'the connection of the agent to the server');
      const hasSynced = async () => Number((await agentInfo()).last_sync_success ?? 0) >= lastStart;
      await waitFor(hasSynced, 'a sync of the agent');
    },
    log: (role) => readFileSync(jobs.get(role)?.job.log ?? '', 'utf8'),
    removeToken: () => rmSync(at('token')),
  };
}

/** For questions to processes that may be starting, or not be there. */
export function orUndefined<T>(answer: Promise<T>): Promise<T | undefined> {
  return answer.catch(() => undefined);
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** How many connections to a TCP address of loopback stand (state 01, proc(5)). */
function connectionsTo(address: string): number {
  const port = Number(address.split(':').at(-1)).toString(16).toUpperCase().padStart(4, '0');
  const lines = readFileSync('/proc/net/tcp', 'latin1').split('\n');
  return lines.filter((line) => line.includes(` 0100007F:${port} 01 `)).length;
}
