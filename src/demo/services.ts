import { chownSync, linkSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { renderBootstrap } from '../envoy/bootstrap.js';
import { readFrom } from './connection.js';
import type { Crew } from './processes.js';

export type ServiceName = 'web' | 'orders' | 'intruder';

/** A service that runs: an Envoy, and the application behind it if it is one that is called. */
export interface Service {
  readonly name: ServiceName;
  /** The user that it runs as; `undefined`: the same as all. */
  readonly user: number | undefined;
  /** The Envoy program that it starts, a path of its own. */
  readonly envoy: string;
  readonly folder: string;
  /** Where it makes its calls. */
  readonly outboundSocket: string;
  readonly adminSocket: string;
  readonly accessLog: string;
}

/** Which file of examples/envoy-configs a service is started with. `orders` calls nobody, and nobody calls `intruder`. */
const bootstraps: Record<ServiceName, { file: string; application: boolean; calls: ServiceName[] }> = {
  orders: { file: 'inbound.yaml', application: true, calls: [] },
  web: { file: 'both.yaml', application: true, calls: ['orders'] },
  intruder: { file: 'outbound.yaml', application: false, calls: ['orders', 'web'] },
};

/** In this order each one's callees are there before it. */
export const serviceNames = Object.keys(bootstraps) as ServiceName[];

/** Makes a service's folder, which is its user's alone, and its own name for the Envoy program. */
export function prepareService(
  name: ServiceName,
  at: { folder: string; programs: string; envoy: string; user: number | undefined },
): Service {
  const folder = join(at.folder, name);
  mkdirSync(folder, { mode: 0o700 });
  if (at.user !== undefined) chownSync(folder, at.user, at.user);
  const envoy = join(at.programs, `envoy-${name}`);
  linkSync(at.envoy, envoy);
  return {
    name,
    user: at.user,
    envoy,
    folder,
    outboundSocket: join(folder, 'outbound.sock'),
    adminSocket: join(folder, 'admin.sock'),
    accessLog: join(folder, 'access.log'),
  };
}

/** Starts the application, if the service has one, and the Envoy. `ports`: where the Envoys of the services it calls listen. */
export function startService(
  crew: Crew,
  service: Service,
  agentSocket: string,
  ports: ReadonlyMap<ServiceName, number>,
): void {
  const { file, application, calls } = bootstraps[service.name];
  const values = new Map([
    ['AGENT_SOCKET', agentSocket],
    ['ADMIN_SOCKET', service.adminSocket],
    ['ACCESS_LOG', service.accessLog],
  ]);
  if (application) {
    values.set('APP_SOCKET', startApplication(crew, service));
    values.set('INBOUND_ADDRESS', '127.0.0.1').set('INBOUND_PORT', '0');
  }
  if (calls.length > 0) values.set('OUTBOUND_SOCKET', service.outboundSocket);
  for (const callee of calls) {
    const name = callee.toUpperCase();
    values.set(`${name}_HOST`, '127.0.0.1').set(`${name}_PORT`, String(ports.get(callee)));
  }
  const path = fileURLToPath(new URL(`../../../examples/envoy-configs/${file}`, import.meta.url));
  const config = join(service.folder, 'envoy.yaml');
  writeFileSync(config, renderBootstrap({ path, text: readFileSync(path, 'utf8') }, values));
  crew.start({
    name: `Envoy of ${service.name}`,
    command: service.envoy,
    args: [
      ...['--config-path', config, '--log-level', 'warning'],
      ...['--concurrency', '1', '--disable-hot-restart', '--file-flush-interval-msec', '20'],
    ],
    log: join(service.folder, 'envoy.log'),
    user: service.user,
  });
}

function startApplication(crew: Crew, { name, user, folder }: Service): string {
  const socket = join(folder, 'app.sock');
  const program = fileURLToPath(new URL('application.js', import.meta.url));
  crew.start({
    name: `application of ${name}`,
    command: process.execPath,
    args: [program, name, socket, ...(user === undefined ? [] : [String(user)])],
    log: join(folder, 'app.log'),
  });
  return socket;
}

/** The TCP port of a service's Envoy; `undefined` until it listens. */
export async function inboundPort(service: Service): Promise<number | undefined> {
  const { listener_statuses } = JSON.parse(
    await readFrom(service.adminSocket, '/listeners?format=json'),
  ) as Listeners;
  return listener_statuses?.find(({ name }) => name === 'inbound')?.local_address.socket_address?.port_value;
}

/** Whether it is up and has its SVID: the bootstraps make Envoy wait for that. */
export async function isLive(service: Service): Promise<boolean> {
  return (await readFrom(service.adminSocket, '/ready')).trim() === 'LIVE';
}

/** The serial number of the SVID that a service's Envoy has loaded. */
export async function loadedSerial(service: Service): Promise<string | undefined> {
  const { certificates } = JSON.parse(await readFrom(service.adminSocket, '/certs')) as Certificates;
  return certificates.flatMap(({ cert_chain }) => cert_chain ?? [])[0]?.serial_number;
}

/** How many connections a service's Envoy has opened to a service so far. */
export async function connectionsOpened(service: Service, to: ServiceName): Promise<number> {
  const stat = `cluster.${to}.upstream_cx_total`;
  const { stats } = JSON.parse(
    await readFrom(service.adminSocket, `/stats?format=json&filter=^${stat}$`),
  ) as Stats;
  return stats.find(({ name }) => name === stat)?.value ?? 0;
}

interface Listeners {
  listener_statuses?: { name: string; local_address: { socket_address?: { port_value: number } } }[];
}

interface Certificates {
  certificates: { cert_chain?: { serial_number: string }[] }[];
}

interface Stats {
  stats: { name?: string; value?: number }[];
}
