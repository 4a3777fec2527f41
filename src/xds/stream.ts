import { fault } from '../base/faults/fault.js';
import type { Log } from '../telemetry/log.js';
import {
  accept,
  applyOutdated,
  applySubscription,
  type Delivery,
  isUnfinished,
  newDelivery,
  nextResponse,
  refuse,
} from './delivery.js';
import type { ClientNode, DeltaNames, XdsRequest } from './request.js';
import { frameOf, type Protocol } from './response.js';
import type { ResourceSource, View, XdsEvent } from './source.js';
import { changeNames, replaceNames } from './subscription.js';

export interface StreamOptions<Identity> {
  readonly protocol: Protocol;
  /** The type of the service that the stream belongs to; `undefined` where a request says its type (ADS). */
  readonly onlyType: string | undefined;
  readonly sources: ReadonlyMap<string, ResourceSource<Identity>>;
  readonly identity: Identity;
  readonly isAlive: (identity: Identity) => boolean;
  readonly onEvent: (event: XdsEvent<Identity>) => void;
  readonly send: (frame: Buffer) => void;
  /** Ends the stream with an error. */
  readonly fail: (error: unknown) => void;
  /** Has the function called soon, once, however often it is asked. */
  readonly soon: (flush: () => void) => void;
  readonly log: Log;
}

/** One client's stream: it may carry several types, each with a subscription and a delivery of its own. */
export interface XdsStream {
  /** Throws a Fault that ends the stream: XDS0101 to XDS0103, or what a source throws. */
  receive(request: XdsRequest): void;
  close(): void;
}

/** The most names that a client may ask for in one type. */
const maxNames = 10_000;

interface TypeOnStream {
  readonly delivery: Delivery;
  readonly view: View;
  readonly flushSoon: () => void;
}

export function openStream<Identity>(options: StreamOptions<Identity>): XdsStream {
  const { protocol, sources, identity, soon, log } = options;
  const types = new Map<string, TypeOnStream>();
  let node: ClientNode | undefined;

  const flush = (
    typeUrl: string,
    { delivery, view, flushSoon }: TypeOnStream,
    wasSeenAlive = false,
  ): void => {
    if (delivery.pending) return;
    const response = nextResponse(delivery, view);
    if (!response) {
      if (isUnfinished(delivery)) flushSoon();
      return;
    }
    // Not for every answer: to look at a process costs as much as all the rest, and what is not sent harms nobody.
    if (!wasSeenAlive) requireAlive(options);
    options.send(frameOf(protocol, typeUrl, response));
  };

  const open = (typeUrl: string): TypeOnStream | undefined => {
    const source = sources.get(typeUrl);
    if (!source) {
      log.debug({ typeUrl, node: node?.id }, 'a type that nobody serves here was asked for');
      return undefined;
    }
    const flushOrFail = () => {
      try {
        const type = types.get(typeUrl);
        if (!type) return;
        requireAlive(options);
        flush(typeUrl, type, true);
      } catch (error) {
        options.fail(error);
      }
    };
    const flushSoon = () => soon(flushOrFail);
    const view = source.open(identity, flushSoon, node);
    const opened = { delivery: newDelivery(protocol), view, flushSoon };
    types.set(typeUrl, opened);
    return opened;
  };

  return {
    receive(request) {
      node ??= request.node;
      const typeUrl = typeOf(request, options.onlyType);
      const type = types.get(typeUrl) ?? open(typeUrl);
      if (!type || isOutdated(request, type.delivery)) return;
      judge(request, typeUrl, type.delivery, options, node);
      subscribe(request, type.delivery);
      flush(typeUrl, type);
    },
    close() {
      for (const { view } of types.values()) view.close();
      types.clear();
    },
  };
}

/** The type that a request is about. Throws XDS0101, XDS0102. */
export function typeOf({ typeUrl }: XdsRequest, onlyType: string | undefined): string {
  const type = typeUrl === '' ? (onlyType ?? '') : typeUrl;
  if (type === '') throw fault('XDS0101', {});
  if (onlyType !== undefined && type !== onlyType) throw fault('XDS0102', { typeUrl, served: onlyType });
  return type;
}

function requireAlive<Identity>({ identity, isAlive }: StreamOptions<Identity>): void {
  if (!isAlive(identity)) throw fault('XDS0104', {});
}

/**
 * A state-of-the-world request speaks about the last response or it is out of date: its names will come again with the answer
 * to the last one. A delta request's changes always count.
 */
function isOutdated({ nonce, subscription }: XdsRequest, delivery: Delivery): boolean {
  if (subscription.kind === 'delta' || !delivery.hasSent || nonce === delivery.lastNonce) return false;
  applyOutdated(delivery, subscription.names);
  return true;
}

function judge<Identity>(
  { nonce, refusal }: XdsRequest,
  typeUrl: string,
  delivery: Delivery,
  { identity, onEvent }: StreamOptions<Identity>,
  node: ClientNode | undefined,
): void {
  if (delivery.pending?.response.nonce !== nonce) return;
  const verdict = refusal === undefined ? accept(delivery) : refuse(delivery);
  if (!verdict) return;
  const event = { identity, node: node?.id ?? '', typeUrl, ...verdict };
  onEvent(refusal === undefined ? { kind: 'ack', ...event } : { kind: 'nack', message: refusal, ...event });
}

function subscribe({ subscription: wanted }: XdsRequest, delivery: Delivery): void {
  const { subscription, hasSent } = delivery;
  if (wanted.kind === 'sotw') applySubscription(delivery, replaceNames(subscription, wanted.names));
  else if (!isPlainAnswer(wanted, delivery)) {
    const change = changeNames(subscription, wanted);
    applySubscription(delivery, change, hasSent ? undefined : wanted.initialVersions);
  }
  if (subscription.names.size > maxNames) throw fault('XDS0103', { limit: maxNames });
}

/** Most requests are that, and to go through all that a client has would be too much for each. */
function isPlainAnswer({ subscribe, unsubscribe }: DeltaNames, { hasSent }: Delivery): boolean {
  return hasSent && subscribe.length === 0 && unsubscribe.length === 0;
}
