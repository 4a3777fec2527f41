import { setTimeout as sleep } from 'node:timers/promises';
import { isFault } from '../base/faults/fault.js';
import type { Log } from '../telemetry/log.js';
import type { ClientStream, GrpcConnection } from '../transport/grpc-client.js';
import { encode } from '../wire/messages.js';
import type { MessageIn, MessageOut } from '../wire/names.js';
import type { EncodedResource } from '../wire/resource.js';
import { serviceDefinition } from '../wire/services.js';

export interface FeedOptions {
  readonly connection: GrpcConnection;
  readonly typeUrl: string;
  /** Called for every resource before it replaces the last good one. A Fault refuses the response it came in (NACK). */
  readonly accept?: (resource: EncodedResource) => void;
  readonly log: Log;
  /** Milliseconds before the first and the longest wait between two tries; jittered. */
  readonly backoff?: { readonly firstMs: number; readonly maxMs: number };
}

/** All resources of one type that a server has for us, kept up to date. */
export interface ResourceFeed {
  /** Replaced as a whole with every change; `unknown` until the server has answered once in this life. */
  current(): ReadonlyMap<string, EncodedResource> | 'unknown';
  /** Calls `listener` after every change, until the returned function is called. */
  onChange(listener: () => void): () => void;
  close(): void;
}

const aggregated = 'envoy.service.discovery.v3.AggregatedDiscoveryService';
type Request = MessageIn<'envoy.service.discovery.v3.DeltaDiscoveryRequest'>;
type Response = MessageOut<'envoy.service.discovery.v3.DeltaDiscoveryResponse'>;

/**
 * Subscribes to every resource of a type over delta ADS (xDS protocol, "Incremental xDS", wildcard). The stream is opened again
 * with backoff whenever it ends, and says what we have already; meanwhile the last good state stays as it is.
 */
export function wildcardFeed(options: FeedOptions): ResourceFeed {
  const state = feedState();
  const closing = new AbortController();
  void keepFollowing(options, state, closing.signal);
  return { current: state.current, onChange: state.onChange, close: () => closing.abort() };
}

async function keepFollowing(options: FeedOptions, state: FeedState, signal: AbortSignal): Promise<void> {
  const { log, backoff = { firstMs: 100, maxMs: 5_000 } } = options;
  let failures = 0;
  while (!signal.aborted) {
    const answered = () => {
      failures = 0;
    };
    const error = await follow(options, state, signal, answered).catch((reason: unknown) => reason);
    if (signal.aborted) return;
    // One line an outage; the tries that follow it are for whoever debugs.
    const say = failures === 0 ? log.warn : log.debug;
    say({ error, typeUrl: options.typeUrl }, 'the stream ended; what it brought stays in force');
    const waitMs = Math.min(backoff.maxMs, backoff.firstMs * 2 ** Math.min(failures++, 20));
    await sleep(waitMs * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => {});
  }
}

/** One stream from its first request to its end. */
async function follow(
  { connection, typeUrl, accept, log }: FeedOptions,
  state: FeedState,
  signal: AbortSignal,
  answered: () => void,
): Promise<void> {
  const stream: ClientStream<Request, Response> = connection.stream(
    serviceDefinition(aggregated).DeltaAggregatedResources,
    { signal },
  );
  stream.send({
    type_url: typeUrl,
    resource_names_subscribe: ['*'],
    initial_resource_versions: state.versions(),
  });
  for await (const response of stream.responses) {
    if (response.type_url !== typeUrl) continue;
    const reply: Request = { type_url: typeUrl, response_nonce: response.nonce ?? '' };
    try {
      const update = readUpdate(response);
      for (const resource of update.resources) accept?.(resource);
      state.apply(update);
      stream.send(reply);
    } catch (error) {
      if (!isFault(error)) throw error;
      log.error({ error, typeUrl }, 'what the server sent is refused; the last good state stays in force');
      stream.send({ ...reply, error_detail: { code: 3, message: String((error as Error).message) } });
    }
    answered();
  }
}

interface Update {
  readonly resources: readonly EncodedResource[];
  readonly removed: readonly string[];
}

function readUpdate({ resources = [], removed_resources: removed = [] }: Response): Update {
  return {
    removed,
    resources: resources.map(({ name = '', version = '', aliases = [], resource }) => ({
      name,
      version,
      aliases,
      // Only the frame is made again: the resource itself stays the bytes that the server sent.
      any: encode('google.protobuf.Any', rawAny(resource)),
    })),
  };
}

function rawAny(any: object | null | undefined): { type_url: string; value: Buffer } {
  const { type_url = '', value = Buffer.alloc(0) } = (any ?? {}) as { type_url?: string; value?: Buffer };
  return { type_url, value };
}

interface FeedState {
  current: ResourceFeed['current'];
  onChange: ResourceFeed['onChange'];
  versions(): Record<string, string>;
  apply(update: Update): void;
}

function feedState(): FeedState {
  let known: ReadonlyMap<string, EncodedResource> | 'unknown' = 'unknown';
  const listeners = new Set<() => void>();
  return {
    current: () => known,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    versions: () =>
      known === 'unknown' ? {} : Object.fromEntries([...known].map(([name, { version }]) => [name, version])),
    apply({ resources, removed }) {
      const next = new Map(known === 'unknown' ? [] : known);
      for (const name of removed) next.delete(name);
      for (const resource of resources) next.set(resource.name, resource);
      known = next;
      for (const listener of [...listeners]) listener();
    },
  };
}
