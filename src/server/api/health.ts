import { setTimeout } from 'node:timers/promises';
import { fault } from '../../base/faults/fault.js';
import type { Service, StreamCall } from '../../transport/service.js';
import type { MessageIn, MessageOut } from '../../wire/names.js';
import { access } from '../access.js';
import { guardedService } from '../guarded-service.js';
import { readiness } from '../readiness.js';
import type { ApiContext } from './context.js';

type Request = MessageOut<'grpc.health.v1.HealthCheckRequest'>;
type Response = MessageIn<'grpc.health.v1.HealthCheckResponse'>;
type Status = NonNullable<Response['status']>;

/** Milliseconds between two looks for somebody who watches. */
const lookMs = 1000;

/**
 * `grpc.health.v1.Health`: the server as a whole (service name `''`), and by the name of any of its services, which all stand
 * and fall together.
 */
export function healthService(context: ApiContext): Service {
  const isReady = readiness(context);
  const status = async (): Promise<Status> => ((await isReady()) ? 'SERVING' : 'NOT_SERVING');
  return guardedService('grpc.health.v1.Health', context.authoriser, {
    Check: {
      unary: async ({ service = '' }) => {
        if (!isService(service)) throw fault('SRV0501', { service });
        return { status: await status() };
      },
    },
    Watch: { stream: (call) => watch(call, status) },
    List: {
      unary: async () => {
        const now = { status: await status() };
        return { statuses: Object.fromEntries(['', ...Object.keys(access)].map((name) => [name, now])) };
      },
    },
  });
}

function isService(name: string): boolean {
  return name === '' || Object.hasOwn(access, name);
}

async function watch(
  { requests, send, signal }: StreamCall<Request, Response>,
  status: () => Promise<Status>,
): Promise<void> {
  for await (const { service = '' } of requests) {
    let told: Status | undefined;
    while (!signal.aborted) {
      // As the protocol wants it: one that is unknown now may come.
      const now = isService(service) ? await status() : 'SERVICE_UNKNOWN';
      if (now !== told) await send({ status: now });
      told = now;
      await setTimeout(lookMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
