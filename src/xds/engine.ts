import type { Metadata } from '@grpc/grpc-js';
import { type Log, silentLog } from '../telemetry/log.js';
import type { Peer } from '../transport/peer.js';
import type { ServedMethod, Service, StreamCall } from '../transport/service.js';
import { typeUrlOf } from '../wire/messages.js';
import { applySubscription, newDelivery, nextResponse } from './delivery.js';
import { readDeltaRequest, readRequest, type XdsRequest } from './request.js';
import { frameOf, type Protocol } from './response.js';
import type { ResourceSource, XdsEvent } from './source.js';
import { openStream } from './stream.js';
import { replaceNames } from './subscription.js';

export interface XdsOptions<Identity> {
  /** One a type. */
  readonly sources: readonly ResourceSource<Identity>[];
  /** Who a stream is for, asked once when it opens. Throws a Fault to refuse it. */
  readonly identify: (peer: Peer, metadata: Metadata) => Promise<Identity>;
  /** Whether an identity still stands, asked before every response: if not, the stream ends with XDS0104. */
  readonly isAlive: (identity: Identity) => boolean;
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

const aggregated = 'envoy.service.discovery.v3.AggregatedDiscoveryService';

/**
 * The xDS protocol over any sources: aggregated (ADS) and one service a type, state of the world and delta, and Fetch.
 *
 * What is unchanged is never sent again; one response a type and stream waits for its answer, and the newest state goes out
 * after it; a resource that was refused is parked until its next version, and what was accepted before is sent again.
 */
export function xdsServices<Identity>(options: XdsOptions<Identity>): Service[] {
  const sources = new Map(options.sources.map((source) => [source.typeUrl, source]));
  if (sources.size < options.sources.length) throw new Error('two xDS sources for one type');
  const soon = gatherer();
  const log = options.log ?? silentLog;
  const streams = (path: string, protocol: Protocol, onlyType?: string): ServedMethod => ({
    path,
    decode: protocol === 'sotw' ? readRequest : readDeltaRequest,
    encode: bytesOnly,
    handler: {
      // The decoder of this very method makes the requests.
      stream: (call) => serve(call as StreamCall<XdsRequest, Buffer>, protocol, onlyType),
    },
  });

  const serve = async (call: StreamCall<XdsRequest, Buffer>, protocol: Protocol, onlyType?: string) => {
    const { identify, isAlive, onEvent } = options;
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
    try {
      await Promise.race([receiveAll(), failed]);
    } finally {
      stream.close();
    }
  };

  const fetch = (path: string, source: ResourceSource<Identity>): ServedMethod => ({
    path,
    decode: readRequest,
    encode: bytesOnly,
    handler: {
      unary: async (request, { peer, metadata }) =>
        fetchFrom(source, await options.identify(peer, metadata), request as XdsRequest),
    },
  });

  const services = perType.flatMap(({ service, typeUrl, resources }): Service[] => {
    const source = sources.get(typeUrl);
    if (!source) return [];
    const path = (verb: string) => `/${service}/${verb}${resources}`;
    return [
      {
        methods: [
          streams(path('Stream'), 'sotw', typeUrl),
          streams(path('Delta'), 'delta', typeUrl),
          fetch(path('Fetch'), source),
        ],
      },
    ];
  });
  const ads: Service = {
    methods: [
      streams(`/${aggregated}/StreamAggregatedResources`, 'sotw'),
      streams(`/${aggregated}/DeltaAggregatedResources`, 'delta'),
    ],
  };
  return [...services, ads];
}

const bytesOnly = (message: unknown): Buffer => message as Buffer;

/** What there is right now, without waiting for anything; the client will not say whether it accepts it. */
function fetchFrom<Identity>(
  source: ResourceSource<Identity>,
  identity: Identity,
  request: XdsRequest,
): Buffer {
  const view = source.open(identity, () => {}, request.node);
  try {
    const delivery = newDelivery('sotw');
    const names = request.subscription.kind === 'sotw' ? request.subscription.names : [];
    applySubscription(delivery, replaceNames(delivery.subscription, names));
    const response = nextResponse(delivery, view) ?? { resources: [], removed: [], version: '', nonce: '' };
    return frameOf('sotw', source.typeUrl, response);
  } finally {
    view.close();
  }
}

/** Calls functions in one pass, a moment after the first was asked for, so that many changes at once are one. */
function gatherer(): (action: () => void) => void {
  const waiting = new Set<() => void>();
  return (action) => {
    if (waiting.size === 0) {
      setImmediate(() => {
        const actions = [...waiting];
        waiting.clear();
        for (const each of actions) each();
      });
    }
    waiting.add(action);
  };
}
