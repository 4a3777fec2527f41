import { setTimeout as sleep } from 'node:timers/promises';
import { type Backoff, backoffMs } from '../base/backoff.js';
import { isFault } from '../base/faults/fault.js';
import { createListeners } from '../base/listeners.js';
import type { Log } from '../telemetry/log.js';
import { type ClientStream, type GrpcConnection, remoteStatus } from '../transport/grpc-client.js';
import { encode } from '../wire/messages.js';
import type { MessageIn, MessageOut } from '../wire/names.js';
import type { EncodedResource } from '../wire/resource.js';
import { serviceDefinition } from '../wire/services.js';
import { moreToCome } from './response.js';

export interface FeedOptions<Value> {
  readonly connection: GrpcConnection;
  readonly typeUrl: string;
  /** Makes of a resource what is kept of it. A Fault refuses the response that it came in (NACK): the last good one stays. */
  readonly read: (resource: ReceivedResource) => Value;
  /** Hears why a stream ended; another one is opened by itself. */
  readonly onEnd?: (error: unknown) => void;
  readonly log: Log;
  /** Between two tries. */
  readonly backoff?: Backoff;
}

/** A resource as it came. */
export interface ReceivedResource {
  readonly name: string;
  readonly version: string;
  readonly aliases: readonly string[];
  /** Of the message in `value`. */
  readonly typeUrl: string;
  readonly value: Buffer;
}

/** All resources of one type that a server has for us, kept up to date. */
export interface ResourceFeed<Value> {
  /** Replaced as a whole with every change; `unknown` until everything has come once in this life. */
  current(): ReadonlyMap<string, Value> | 'unknown';
  /** Whether a stream is open and has brought everything: then what is current is what the server has. */
  isLive(): boolean;
  /** Calls `listener` after every change of either, until the returned function is called. */
  onChange(listener: () => void): () => void;
  /** Goes on over a new stream, at once: the old one is that of an identity that we have no more. */
  reopen(): void;
  close(): void;
}

const aggregated = 'envoy.service.discovery.v3.AggregatedDiscoveryService';
type Request = MessageIn<'envoy.service.discovery.v3.DeltaDiscoveryRequest'>;
type Response = MessageOut<'envoy.service.discovery.v3.DeltaDiscoveryResponse'>;

/**
 * Subscribes to every resource of a type over delta ADS (xDS protocol, "Incremental xDS", wildcard). The stream is opened again
 * with backoff whenever it ends, and says what we have already; meanwhile the last good state stays as it is.
 */
export function wildcardFeed<Value>(options: FeedOptions<Value>): ResourceFeed<Value> {
  const state = feedState<Value>();
  const closing = new AbortController();
  let attempt = new AbortController();
  const nextAttempt = () => {
    attempt = new AbortController();
    return attempt.signal;
  };
  void keepFollowing(options, state, closing.signal, nextAttempt);
  const { current, isLive, onChange } = state;
  return { current, isLive, onChange, reopen: () => attempt.abort(), close: () => closing.abort() };
}

/** The resource under its name as a source can hand it on: only the frame is made again, the message stays the bytes that came. */
export function handedOn({ name, version, aliases, typeUrl, value }: ReceivedResource): EncodedResource {
  return { name, version, aliases, any: encode('google.protobuf.Any', { type_url: typeUrl, value }) };
}

/** Milliseconds until a server that does not know the service at all is asked again. */
const unservedMs = 60_000;

async function keepFollowing<Value>(
  options: FeedOptions<Value>,
  state: FeedState<Value>,
  closing: AbortSignal,
  nextAttempt: () => AbortSignal,
): Promise<void> {
  const { log, typeUrl, onEnd, backoff = { firstMs: 100, maxMs: 5_000 } } = options;
  let failures = 0;
  while (!closing.aborted) {
    const reopened = nextAttempt();
    const signal = AbortSignal.any([closing, reopened]);
    const answered = () => {
      failures = 0;
    };
    const error = await follow(options, state, signal, answered).catch((reason: unknown) => reason);
    state.ended();
    if (closing.aborted || reopened.aborted) continue;
    onEnd?.(error);
    const isUnserved = remoteStatus(error) === 'UNIMPLEMENTED';
    // One line an outage; the tries that follow it are for whoever debugs.
    const say = failures > 0 ? log.debug : isUnserved ? log.info : log.warn;
    say({ error, typeUrl }, 'the stream ended; what it brought stays in force');
    failures++;
    const waitMs = isUnserved ? unservedMs : backoffMs(backoff, failures, Math.random());
    await sleep(waitMs, undefined, { signal }).catch(() => {});
  }
}

/** One stream from its first request to its end. */
async function follow<Value>(
  { connection, typeUrl, read, log }: FeedOptions<Value>,
  state: FeedState<Value>,
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
    initial_resource_versions: state.takeUp(),
  });
  for await (const response of stream.responses) {
    if (response.type_url !== typeUrl) continue;
    const nonce = response.nonce ?? '';
    const reply: Request = { type_url: typeUrl, response_nonce: nonce };
    try {
      state.apply(readUpdate(response, read), !nonce.endsWith(moreToCome));
      stream.send(reply);
    } catch (error) {
      if (!isFault(error)) throw error;
      log.error({ error, typeUrl }, 'what the server sent is refused; the last good state stays in force');
      stream.send({ ...reply, error_detail: { code: 3, message: String((error as Error).message) } });
    }
    answered();
  }
}

interface Update<Value> {
  readonly resources: readonly { name: string; version: string; value: Value }[];
  readonly removed: readonly string[];
}

function readUpdate<Value>(
  { resources = [], removed_resources: removed = [] }: Response,
  read: (resource: ReceivedResource) => Value,
): Update<Value> {
  return {
    removed,
    resources: resources.map(({ name = '', version = '', aliases = [], resource }) => {
      const { type_url: typeUrl = '', value = Buffer.alloc(0) } = (resource ?? {}) as {
        type_url?: string;
        value?: Buffer;
      };
      return { name, version, value: read({ name, version, aliases, typeUrl, value }) };
    }),
  };
}

interface FeedState<Value> extends Pick<ResourceFeed<Value>, 'current' | 'isLive' | 'onChange'> {
  /** A new stream begins: the versions of what came so far. */
  takeUp(): Record<string, string>;
  apply(update: Update<Value>, isLast: boolean): void;
  /** The stream is over. */
  ended(): void;
}

/** As many versions as fit into a request; who has more is sent everything again. */
const maxVersions = 20_000;

function feedState<Value>(): FeedState<Value> {
  let known: ReadonlyMap<string, Value> | 'unknown' = 'unknown';
  /** What comes in several parts shows when all of it is here. */
  let next: Map<string, Value> | undefined;
  let versions = new Map<string, string>();
  let isLive = false;
  const { onChange, tell } = createListeners();
  return {
    current: () => known,
    isLive: () => isLive,
    onChange,
    takeUp() {
      if (versions.size <= maxVersions) return Object.fromEntries(versions);
      versions = new Map();
      next = new Map();
      return {};
    },
    apply({ resources, removed }, isLast) {
      next ??= new Map(known === 'unknown' ? [] : known);
      for (const name of removed) {
        next.delete(name);
        versions.delete(name);
      }
      for (const { name, version, value } of resources) {
        next.set(name, value);
        versions.set(name, version);
      }
      if (!isLast) return;
      known = next;
      next = undefined;
      isLive = true;
      tell();
    },
    ended() {
      if (!isLive) return;
      isLive = false;
      tell();
    },
  };
}
