import { setTimeout } from 'node:timers/promises';
import { Metadata } from '@grpc/grpc-js';
import { backoffMs } from '../base/backoff.js';
import type { Clock } from '../base/clock.js';
import { fault } from '../base/faults/fault.js';
import { type GrpcConnection, remoteStatus } from '../transport/grpc-client.js';
import type { MessageOut } from '../wire/names.js';
import { serviceDefinition } from '../wire/services.js';
import { readX509Context, type X509Context } from './x509-context.js';

export interface WatchX509Options {
  /** To any SPIFFE Workload API, ours or another's. */
  readonly connection: GrpcConnection;
  readonly onContext: (context: X509Context) => void;
  /** Why there is nothing new; what was given before stays. It is tried again in `retryMs`, or the stream goes on (0). */
  readonly onTrouble: (error: unknown, retryMs: number) => void;
  /** Ends the watch. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly random?: () => number;
}

/** Another try changes nothing about these (Workload Endpoint §6). */
const final = ['INVALID_ARGUMENT', 'UNIMPLEMENTED'];

const backoff = { firstMs: 1_000, maxMs: 30_000 };

/**
 * Follows the X.509 identities of this process at a Workload API, again and again with growing pauses when the stream ends.
 * Resolves when `signal` ends it; throws when trying again is no use.
 */
export async function watchX509(options: WatchX509Options): Promise<void> {
  const { onTrouble, signal, random = Math.random } = options;
  let failures = 0;
  while (!signal.aborted) {
    try {
      await follow(options, () => {
        failures = 0;
      });
      throw fault('WLA0503', { problem: 'it ended the stream' });
    } catch (error) {
      if (signal.aborted) return;
      if (final.includes(remoteStatus(error) ?? '')) throw error;
      failures++;
      const pause = Math.round(backoffMs(backoff, failures, random()));
      onTrouble(error, pause);
      await setTimeout(pause, undefined, { signal }).catch(() => undefined);
    }
  }
}

async function follow(options: WatchX509Options, answered: () => void): Promise<void> {
  const { connection, onContext, signal } = options;
  const { FetchX509SVID } = serviceDefinition('SpiffeWorkloadAPI');
  const metadata = new Metadata();
  metadata.set('workload.spiffe.io', 'true');
  const stream = connection.stream(FetchX509SVID, { metadata, signal });
  stream.send({});
  stream.end();
  for await (const message of stream.responses) {
    answered();
    const context = read(message, options);
    if (context) onContext(context);
  }
}

function read(
  message: MessageOut<'X509SVIDResponse'>,
  { clock, onTrouble }: WatchX509Options,
): X509Context | undefined {
  try {
    return readX509Context(message, clock.now());
  } catch (error) {
    onTrouble(error, 0);
    return undefined;
  }
}
