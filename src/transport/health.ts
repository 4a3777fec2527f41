import { setTimeout } from 'node:timers/promises';
import { fault } from '../base/faults/fault.js';
import type { MessageIn, MessageOut } from '../wire/names.js';
import type { StreamCall } from './service.js';

type Request = MessageOut<'grpc.health.v1.HealthCheckRequest'>;
type Response = MessageIn<'grpc.health.v1.HealthCheckResponse'>;
type Status = NonNullable<Response['status']>;

/** Milliseconds between two looks for somebody who watches. */
const lookMs = 1000;

/**
 * Handlers of `grpc.health.v1.Health`: a process as a whole (service name `''`), and by the name of any of its `services`, which
 * all stand and fall together. Throws TRN0601 for the name of another one.
 */
export function healthHandlers(services: readonly string[], isServing: () => Promise<boolean>) {
  const known = new Set(['', ...services]);
  const status = async (): Promise<Status> => ((await isServing()) ? 'SERVING' : 'NOT_SERVING');
  return {
    Check: {
      async unary({ service = '' }: Request): Promise<Response> {
        if (!known.has(service)) throw fault('TRN0601', { service });
        return { status: await status() };
      },
    },
    Watch: {
      async stream({ requests, send, signal }: StreamCall<Request, Response>): Promise<void> {
        for await (const { service = '' } of requests) {
          let told: Status | undefined;
          while (!signal.aborted) {
            // As the protocol wants it: one that is unknown now may come.
            const now = known.has(service) ? await status() : 'SERVICE_UNKNOWN';
            if (now !== told) await send({ status: now });
            told = now;
            await setTimeout(lookMs, undefined, { signal }).catch(() => undefined);
          }
        }
      },
    },
    List: {
      async unary(): Promise<MessageIn<'grpc.health.v1.HealthListResponse'>> {
        const now = { status: await status() };
        return { statuses: Object.fromEntries([...known].map((name) => [name, now])) };
      },
    },
  };
}
