import { setTimeout as sleep } from 'node:timers/promises';
import { fault } from '../base/faults/fault.js';
import { type Connection, connect, type Request } from './connection.js';
import { connectionsOpened, type Service, type ServiceName } from './services.js';

/** A change of the policy, as the requests on one kept-alive connection saw it. */
export interface PolicyFlip {
  /** From the moment before the file was written to the first answer under the new policy. */
  readonly saved_to_enforced_ms: number;
  /** Neither the connection to the caller's Envoy nor the one between the Envoys was replaced. */
  readonly same_connection: boolean;
  /** Requests that were answered neither as before nor as after, or the old way after the new one. */
  readonly failed_requests: number;
}

export interface Change {
  readonly request: Request & { readonly to: ServiceName };
  readonly before: number;
  readonly after: number;
  /** Edits the policy. */
  save(): void;
  /** Milliseconds that the change may take; 5,000 unless said otherwise. */
  readonly patienceMs?: number;
}

/** Sends a request over and over on one connection while the policy changes. Throws DEM0204 when nothing changes. */
export async function watchFlip(caller: Service, change: Change, signal: AbortSignal): Promise<PolicyFlip> {
  const { request, before, after, patienceMs = 5_000 } = change;
  const connection = await connect(caller.outboundSocket);
  try {
    const statuses = await ask(connection, request, 20);
    const opened = await connectionsOpened(caller, request.to);
    const saved = performance.now();
    change.save();
    for (let status = before; status !== after; statuses.push(status)) {
      signal.throwIfAborted();
      const isLate = performance.now() - saved > patienceMs;
      if (isLate) throw fault('DEM0204', { what: 'the change of the policy', seconds: patienceMs / 1_000 });
      status = await connection.send(request);
    }
    const enforced = performance.now();
    statuses.push(...(await ask(connection, request, 20)));
    return {
      saved_to_enforced_ms: Math.round((enforced - saved) * 10) / 10,
      same_connection: connection.isOpen() && (await connectionsOpened(caller, request.to)) === opened,
      failed_requests: unexpected(statuses, before, after),
    };
  } finally {
    connection.close();
  }
}

/** All answers are `before` up to a point, and `after` from there on; the others count. */
function unexpected(statuses: readonly number[], before: number, after: number): number {
  const flip = statuses.indexOf(after);
  return statuses.filter((status, index) => status !== (index < flip ? before : after)).length;
}

async function ask(connection: Connection, request: Request, times: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let n = 0; n < times; n++) {
    statuses.push(await connection.send(request));
    await sleep(2);
  }
  return statuses;
}
