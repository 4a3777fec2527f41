import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../../src/demo/connection.js';
import { connectionsOpened, loadedSerial, type Service, type ServiceName } from '../../src/demo/services.js';
import type { Ending } from './children.js';
import { attempt, type TlsTarget } from './http-client.js';
import { followSecrets } from './running-agent.js';
import { entryApi, entryMessage } from './running-server.js';
import { orUndefined, type RunningShop, startShop } from './running-shop.js';
import { waitFor } from './shop.js';

export interface SoakOptions {
  /** How long calls are made. */
  readonly seconds: number;
  /** How often every SVID is replaced: about so often, since agents renew at about half of a life. */
  readonly everySeconds: number;
  /** Hears how it goes, about ten times. */
  note(sentence: string): void;
}

export interface SoakResult {
  /** Calls from application to application, through both Envoys, on connections that stay open. */
  throughEnvoys: number;
  /** Calls straight to the Envoy of `orders`, each on a new TLS connection with the newest SVID. */
  onNewConnections: number;
  /** Every call that was answered otherwise than it should be, and when. */
  readonly failures: string[];
  /** How many SVIDs each had. */
  readonly svids: Record<'web' | 'orders' | 'probe', number>;
  /** Connections between the two Envoys. */
  connectionsBetweenEnvoys: number;
  longestMs: number;
}

const policy = `
version: 1
trustDomains: { shop: { id: shop.example } }
callers: { web: shop:/web, probe: shop:/probe }
services:
  orders: { identity: shop:/orders, protocol: http }
rules:
  - { name: reads, from: [web, probe], to: orders, allow: GET /v1/orders/* }
`;

const call = { method: 'GET', path: '/v1/orders/7' };

/** A server, an agent and two Envoys as processes; SVIDs that live so briefly that they are always being replaced; and calls. */
export async function soakRotation(
  ending: Ending,
  { seconds, everySeconds, note }: SoakOptions,
): Promise<SoakResult> {
  const svidSeconds = 2 * everySeconds;
  const shop = await startShop(ending, policy, svidSeconds);
  const [web, orders] = [serviceOf(shop, 'web'), serviceOf(shop, 'orders')];
  const probe = await startProbe(ending, shop, svidSeconds);
  await waitFor(async () => (await attempt(probe.target(), call)) === 200, 'the policy in Envoy');
  const result: SoakResult = {
    ...{ throughEnvoys: 0, onNewConnections: 0, failures: [], connectionsBetweenEnvoys: 0, longestMs: 0 },
    svids: { web: 0, orders: 0, probe: 0 },
  };
  const end = Date.now() + seconds * 1000;
  const load = [
    ...Array.from({ length: 4 }, () => callThroughEnvoys(web, end, result)),
    callOnNewConnections(probe.target, end, result),
  ];
  const serials = { web: new Set<string>(), orders: new Set<string>(), probe: probe.seen };
  for (let next = Date.now(); Date.now() < end; await sleep(250)) {
    for (const service of [web, orders]) {
      const serial = await orUndefined(loadedSerial(service));
      if (serial) serials[service.name as 'web' | 'orders'].add(serial);
    }
    if (Date.now() < next) continue;
    next += seconds * 100;
    note(`${Math.round((end - Date.now()) / 1000)} s left, ${result.throughEnvoys} calls`);
  }
  await Promise.all(load);
  for (const name of ['web', 'orders', 'probe'] as const) result.svids[name] = serials[name].size;
  result.connectionsBetweenEnvoys = await connectionsOpened(web, 'orders');
  return result;
}

function serviceOf(shop: RunningShop, name: ServiceName): Service {
  const service = shop.services.get(name);
  if (!service) throw new Error(`there is no service ${name}`);
  return service;
}

/** This process as a workload that calls without an Envoy of its own. */
async function startProbe(ending: Ending, shop: RunningShop, svidSeconds: number) {
  const selectors = [`unix:uid:${process.geteuid?.()}`, `unix:path:${process.execPath}`];
  const entries = [entryMessage('/probe', '/node/demo', selectors, { x509_svid_ttl: svidSeconds })];
  await shop.admin.unary(entryApi.BatchCreateEntry, { entries });
  const { resources } = followSecrets(ending, shop.agentSocket, 'default');
  const seen = new Set<string>();
  const target = (): TlsTarget => {
    const { certificate_chain, private_key } = resources.get('default')?.tls_certificate ?? {};
    const [cert, key] = [String(certificate_chain?.inline_bytes), String(private_key?.inline_bytes)];
    seen.add(cert);
    return { port: shop.port('orders'), identity: { cert, key } };
  };
  await waitFor(() => resources.has('default'), 'the SVID of this process');
  return { target, seen };
}

async function callThroughEnvoys({ outboundSocket }: Service, end: number, result: SoakResult) {
  const connection = await connect(outboundSocket);
  for (; Date.now() < end; await sleep(2)) {
    await judged('through both Envoys', result, () => connection.send({ to: 'orders', ...call }));
    result.throughEnvoys++;
  }
  if (!connection.isOpen()) result.failures.push('a connection to an outbound socket was cut');
  connection.close();
}

async function callOnNewConnections(target: () => TlsTarget, end: number, result: SoakResult) {
  for (; Date.now() < end; await sleep(10)) {
    await judged('on a new connection', result, () => attempt(target(), call).catch(String));
    result.onNewConnections++;
  }
}

async function judged(how: string, result: SoakResult, make: () => Promise<number | string>) {
  const start = performance.now();
  const got = await make();
  result.longestMs = Math.max(result.longestMs, performance.now() - start);
  if (got !== 200) result.failures.push(`${new Date().toISOString()} ${how}: ${got}`);
}
