import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type Request } from '../../src/demo/connection.js';
import { attempt, type TlsTarget } from './http-client.js';

/** Calls that never stop while servers and agents come and go, and what was answered otherwise than expected. */
export interface Traffic {
  /** Every answer that was not the expected one, and when. */
  readonly surprises: readonly string[];
  /** Resolves when every kind of call was answered once more, from beginning to end. */
  anotherRound(): Promise<void>;
  stop(): Promise<void>;
}

export interface ExpectedCall {
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

/**
 * Makes each of the `calls` over and over: on one connection to the outbound socket of an Envoy, which must never be cut, and
 * each time on a new TLS connection straight to the Envoy of the service.
 */
export async function startTraffic(
  outbound: string,
  inbound: TlsTarget,
  calls: { open: readonly ExpectedCall[]; fresh: readonly ExpectedCall[] },
): Promise<Traffic> {
  const surprises: string[] = [];
  const rounds = { open: 0, fresh: 0 };
  let running = true;
  const note = (how: string, { method, path, status }: ExpectedCall, got: number | string) => {
    if (got === status) return;
    surprises.push(`${new Date().toISOString()} ${how}: ${method} ${path} got ${got} in place of ${status}`);
  };

  const connection = await connect(outbound);
  const onOpen = async () => {
    for (; running; rounds.open++, await sleep(10)) {
      for (const call of calls.open) {
        const request: Request = { to: 'orders', ...call };
        note('on the open connection', call, await connection.send(request));
      }
    }
  };
  const onFresh = async () => {
    for (; running; rounds.fresh++, await sleep(50)) {
      for (const call of calls.fresh) {
        note('on a new connection', call, await attempt(inbound, call).catch(String));
      }
    }
  };
  const loops = [onOpen(), onFresh()];
  return {
    surprises,
    anotherRound: async () => {
      const { open, fresh } = rounds;
      while (rounds.open < open + 2 || rounds.fresh < fresh + 2) await sleep(5);
    },
    stop: async () => {
      running = false;
      await Promise.all(loops);
      connection.close();
    },
  };
}
