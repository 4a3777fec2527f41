import type { Metadata } from '@grpc/grpc-js';
import { fault } from '../base/faults/fault.js';
import { type Log, silentLog } from '../telemetry/log.js';
import type { Peer } from '../transport/peer.js';
import type { ServedMethod, Service, StreamCall } from '../transport/service.js';
import { typeUrlOf } from '../wire/messages.js';
import { applySubscription, newDelivery, nextResponse } from './delivery.js';
import { readDeltaRequest, readRequest, type XdsRequest } from './request.js';
import { frameOf, type Protocol } from './response.js';
import type { ResourceSource, XdsEvent } from './source.js';
import { openStream, type StreamOptions, typeOf } from './stream.js';
import { replaceNames } from './subscription.js';

export interface XdsOptions<Identity> {
  /** One a type. */
  readonly sources: readonly ResourceSource<Identity>[];
  /** Who a stream is for, asked once when it opens. Throws a Fault to refuse it. */
  readonly identify: (peer: Peer, metadata: Metadata) => Promise<Identity>;
  /** Whether an identity still stands, asked before every response: if not, the stream ends with XDS0104. */
  readonly isAlive: (identity: Identity) => boolean;
  /** Calls `ended` as soon as an identity stands no more, which ends its streams with XDS0104 at once; gives how to stop that. */
  readonly whenGone?: (identity: Identity, ended: () => void) => () => void;
  readonly onEvent: (event: XdsEvent<Identity>) => void;
  readonly log?: Log;
}

/** Services that carry one type each. */
const perType = [
  {
    service: 'envoy.service.secret.v3.SecretDiscoveryService',
    typeUrl: typeUrlOf('envoy.extensions.transport_sockets.tls.v3.Secret'),
    resources: 'Secrets',
  },
  {
    service: 'envoy.service.extension.v3.ExtensionConfigDiscoveryService',
    typeUrl: typeUrlOf('envoy.config.core.v3.TypedExtensionConfig'),
    resources: 'ExtensionConfigs',
  },
] as const;

const ads = 'envoy.service.discovery.v3.AggregatedDiscoveryService';

/**
 * The xDS protocol over any sources: aggregated (ADS) and one service a type, state of the world and delta, and Fetch.
 *
 * What is unchanged is never sent again; one response a type and stream waits for its answer, and the newest state goes out
 * after it; a resource that was refused is parked until its next version, and what was accepted before is sent again.
 */
export function xdsServices<Identity>(options: XdsOptions<Identity>): Service[] {
  const sources = new Map(options.sources.map((source) => [source.typeUrl, source]));
  if (sources.size < options.sources.length) throw new Error('two xDS sources for one type');
  const engine: Engine<Identity> = { ...options, sources, soon: gatherer(), log: options.log ?? silentLog };
  const services = perType.flatMap(({ service, typeUrl, resources }): Service[] => {
    const source = sources.get(typeUrl);
    if (!source) return [];
    const path = (verb: string) => `/${service}/${verb}${resources}`;
    const stream = streamMethod(engine, path('Stream'), 'sotw', typeUrl);
    const delta = streamMethod(engine, path('Delta'), 'delta', typeUrl);
    return [{ methods: [stream, delta, fetchMethod(engine, path('Fetch'), source)] }];
  });
  const aggregated = [
    streamMethod(engine, `/${ads}/StreamAggregatedResources`, 'sotw'),
    streamMethod(engine, `/${ads}/DeltaAggregatedResources`, 'delta'),
  ];
  return [...services, { methods: aggregated }];
}

type Engine<Identity> = Omit<XdsOptions<Identity>, 'sources'> &
  Pick<StreamOptions<Identity>, 'sources' | 'soon' | 'log'>;

const bytesOnly = (message: unknown): Buffer => message as Buffer;

function streamMethod<Identity>(
  engine: Engine<Identity>,
  path: string,
  protocol: Protocol,
  onlyType?: string,
): ServedMethod {
  return {
    path,
    decode: protocol === 'sotw' ? readRequest : readDeltaRequest,
    encode: bytesOnly,
    // The decoder above makes the requests.
    handler: { stream: (call) => serve(engine, call as StreamCall<XdsRequest, Buffer>, protocol, onlyType) },
  };
}

async function serve<Identity>(
  { identify, isAlive, whenGone, onEvent, sources, soon, log }: Engine<Identity>,
  call: StreamCall<XdsRequest, Buffer>,
  protocol: Protocol,
  onlyType: string | undefined,
): Promise<void> {
  const identity = await identify(call.peer, call.metadata);
  let fail: (error: unknown) => void = () => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const send = (frame: Buffer) => void call.send(frame);
  const stream = openStream({
    ...{ protocol, onlyType, sources, identity, isAlive, onEvent, send, fail, soon, log },
  });
  const receiveAll = async () => {
    for await (const request of call.requests) stream.receive(request);
  };
  const stopWatching = whenGone?.(identity, () => fail(fault('XDS0104', {})));
  try {
    await Promise.race([receiveAll(), failed]);
  } finally {
    stopWatching?.();
    stream.close();
  }
}

function fetchMethod<Identity>(
  { identify }: Engine<Identity>,
  path: string,
  source: ResourceSource<Identity>,
): ServedMethod {
  return {
    path,
    decode: readRequest,
    encode: bytesOnly,
    handler: {
      unary: async (request, { peer, metadata }) =>
        fetchFrom(source, await identify(peer, metadata), request as XdsRequest),
    },
  };
}

/** What there is right now, without waiting for anything; the client will not say whether it accepts it. */
function fetchFrom<Identity>(
  source: ResourceSource<Identity>,
  identity: Identity,
  request: XdsRequest,
): Buffer {
  typeOf(request, source.typeUrl);
  const view = source.open(identity, () => {}, request.node);
  try {
    const delivery = newDelivery('sotw');
    const names = request.subscription.kind === 'sotw' ? request.subscription.names : [];
    applySubscription(delivery, replaceNames(delivery.subscription, names));
    const response = nextResponse(delivery, view) ?? { resources: [], removed: [], version: '' };
    // Nobody will answer it.
    return frameOf('sotw', source.typeUrl, { ...response, nonce: '' });
  } finally {
    view.close();
  }
}

/** Milliseconds after which everything else has its turn. */
const passMs = 20;

/** Calls functions in one pass, a moment after the first was asked for, so that many changes at once are one. */
function gatherer(): (action: () => void) => void {
  const waiting = new Set<() => void>();
  const pass = () => {
    const end = performance.now() + passMs;
    // Those that are asked for meanwhile come last.
    for (const action of waiting) {
      waiting.delete(action);
      action();
      if (performance.now() > end) break;
    }
    if (waiting.size > 0) setImmediate(pass);
  };
  return (action) => {
    if (waiting.size === 0) setImmediate(pass);
    waiting.add(action);
  };
}
