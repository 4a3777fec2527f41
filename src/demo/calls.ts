import { followAccessLog } from './access-log.js';
import { connect, type Request } from './connection.js';
import type { Service, ServiceName } from './services.js';

/** A call that the demo makes, and what the policy says about it. */
export interface PlannedCall extends Request {
  readonly from: ServiceName;
  readonly to: ServiceName;
  readonly expected: 'allow' | 'deny';
  /** What is special about it, for the table. */
  readonly note?: string;
}

/** What became of a call. `rule`: the one that decided, as the called service's Envoy logged it. */
export interface CallOutcome {
  readonly from: ServiceName;
  readonly to: ServiceName;
  readonly method: string;
  readonly path: string;
  readonly note?: string;
  readonly expected: 'allow' | 'deny';
  readonly status: number;
  readonly rule: string | null;
}

/** What the policy in examples/policy says, tried from both sides. */
export const plannedCalls: readonly PlannedCall[] = [
  { from: 'web', to: 'orders', method: 'GET', path: '/v1/orders/7', expected: 'allow' },
  { from: 'web', to: 'orders', method: 'GET', path: '/v1/orders?state=open', expected: 'allow' },
  { from: 'web', to: 'orders', method: 'GET', path: '/healthz', expected: 'allow' },
  { from: 'web', to: 'orders', method: 'DELETE', path: '/v1/orders/7', expected: 'deny' },
  { from: 'web', to: 'orders', method: 'GET', path: '/v1/orders/%2e%2e/admin', expected: 'deny' },
  { from: 'intruder', to: 'orders', method: 'GET', path: '/healthz', expected: 'deny' },
  {
    from: 'intruder',
    to: 'orders',
    method: 'GET',
    path: '/v1/orders/7',
    headers: { 'x-forwarded-client-cert': 'URI=spiffe://shop.example/web' },
    note: 'says it is web',
    expected: 'deny',
  },
  { from: 'intruder', to: 'web', method: 'GET', path: '/', expected: 'deny' },
];

/** Makes the calls one after another, each on the caller's outbound socket. */
export async function makeCalls(
  calls: readonly PlannedCall[],
  services: ReadonlyMap<ServiceName, Service>,
  signal: AbortSignal,
): Promise<CallOutcome[]> {
  const outcomes: CallOutcome[] = [];
  for (const call of calls) {
    signal.throwIfAborted();
    const [caller, callee] = [services.get(call.from), services.get(call.to)];
    if (caller && callee) outcomes.push(await makeCall(call, caller, callee));
  }
  return outcomes;
}

async function makeCall(call: PlannedCall, caller: Service, callee: Service): Promise<CallOutcome> {
  const log = followAccessLog(callee.accessLog);
  log.skip();
  const connection = await connect(caller.outboundSocket);
  try {
    const status = await connection.send(call);
    const line = await log.next(({ event, method }) => event === 'request' && method === call.method);
    const { from, to, method, path, note, expected } = call;
    return { from, to, method, path, ...(note ? { note } : {}), expected, status, rule: line?.rule ?? null };
  } finally {
    connection.close();
  }
}

/** Whether Envoy did as expected, by a rule: an answer of another kind (503, 400) is no decision. */
export function asExpected({ expected, status, rule }: CallOutcome): boolean {
  return status === (expected === 'allow' ? 200 : 403) && rule !== null;
}
