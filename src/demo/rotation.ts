import { setTimeout as sleep } from 'node:timers/promises';
import { type Connection, connect, type Request } from './connection.js';
import { connectionsOpened, loadedSerial, type Service, type ServiceName } from './services.js';
import { until } from './waiting.js';

/** What requests saw while the SVIDs on both ends of their connections were replaced. */
export interface Rotation {
  /** Connections of the caller that lived through it, if the one between the two Envoys did; else 0. */
  readonly connections_kept: number;
  readonly failed_requests: number;
}

export const connectionsHeld = 4;

/** The serial numbers of the SVID that one service's Envoy had loaded. */
export interface SerialChange {
  readonly service: Service;
  readonly before: string;
  readonly after: string;
}

export interface RotationOutcome extends Rotation {
  readonly requests: number;
  readonly serials: readonly SerialChange[];
}

/**
 * Keeps requests going on several connections until the Envoys of all `rotating` have loaded a new SVID, and a little longer.
 * A request counts as failed when it is answered with anything but 200. Throws DEM0204 when no new SVID comes.
 */
export async function watchRotation(
  caller: Service,
  request: Request & { readonly to: ServiceName },
  rotating: readonly Service[],
  signal: AbortSignal,
): Promise<RotationOutcome> {
  const traffic = await startTraffic(caller, request);
  try {
    const opened = await connectionsOpened(caller, request.to);
    const serials = await Promise.all(rotating.map((service) => untilRotated(service, signal)));
    await sleep(200);
    await traffic.stop();
    const kept = (await connectionsOpened(caller, request.to)) === opened;
    const open = traffic.connections.filter((connection) => connection.isOpen());
    return {
      connections_kept: kept ? open.length : 0,
      failed_requests: traffic.count.failed,
      requests: traffic.count.all,
      serials,
    };
  } finally {
    await traffic.stop();
    for (const connection of traffic.connections) connection.close();
  }
}

async function startTraffic(caller: Service, request: Request) {
  const connections = await Promise.all(
    Array.from({ length: connectionsHeld }, () => connect(caller.outboundSocket)),
  );
  const count = { all: 0, failed: 0 };
  let running = true;
  const keepAsking = async (connection: Connection) => {
    while (running) {
      count.all++;
      if ((await connection.send(request)) !== 200) count.failed++;
      await sleep(5);
    }
  };
  const loops = connections.map(keepAsking);
  const stop = async () => {
    running = false;
    await Promise.all(loops);
  };
  return { connections, count, stop };
}

async function untilRotated(service: Service, signal: AbortSignal): Promise<SerialChange> {
  const before = (await loadedSerial(service)) ?? '';
  const what = `the rotation of the SVID of ${service.name}`;
  const after = await until({ what, seconds: 30, signal }, async () => {
    const serial = await loadedSerial(service);
    return serial !== before && serial;
  });
  return { service, before, after };
}
