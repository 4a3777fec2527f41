import protobuf from 'protobufjs';
import { fault } from '../base/faults/fault.js';
import { decode } from '../wire/messages.js';
import type { MessageOut } from '../wire/names.js';

/** What a client says about itself in the first request of a stream. Chosen by the client: good for a log, proof of nothing. */
export type ClientNode = MessageOut<'envoy.config.core.v3.Node'>;

/** A request of either protocol: a change of the subscription, an answer to a response, or both. */
export interface XdsRequest {
  readonly node: ClientNode | undefined;
  /** Empty where the service leaves no doubt. */
  readonly typeUrl: string;
  /** Of the response that this answers; empty for none. */
  readonly nonce: string;
  /** Why the client refused that response; `undefined` when it did not. */
  readonly refusal: string | undefined;
  readonly subscription: StateOfTheWorldNames | DeltaNames;
}

/** All names that the client wants from now on. */
export interface StateOfTheWorldNames {
  readonly kind: 'sotw';
  readonly names: readonly string[];
}

/** What the client wants more, and no more. */
export interface DeltaNames {
  readonly kind: 'delta';
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  /** Versions of what the client has from an earlier stream, by name. Only the first request of a type has any. */
  readonly initialVersions: ReadonlyMap<string, string>;
}

/** Reads an `envoy.service.discovery.v3.DiscoveryRequest`. Throws WIR0301, XDS0105. */
export function readRequest(bytes: Buffer): XdsRequest {
  const request = decode('envoy.service.discovery.v3.DiscoveryRequest', withoutExtensions(bytes, 2));
  const { node, type_url = '', response_nonce = '', error_detail, resource_names = [] } = request;
  return {
    node: node ?? undefined,
    typeUrl: type_url,
    nonce: response_nonce,
    refusal: error_detail ? (error_detail.message ?? '').slice(0, maxRefusal) : undefined,
    subscription: { kind: 'sotw', names: checked(resource_names) },
  };
}

/** Reads an `envoy.service.discovery.v3.DeltaDiscoveryRequest`. Throws WIR0301, XDS0105. */
export function readDeltaRequest(bytes: Buffer): XdsRequest {
  const request = decode('envoy.service.discovery.v3.DeltaDiscoveryRequest', withoutExtensions(bytes, 1));
  const { node, type_url = '', response_nonce = '', error_detail } = request;
  const initialVersions = Object.entries(request.initial_resource_versions ?? {});
  checked(initialVersions.flat());
  return {
    node: node ?? undefined,
    typeUrl: type_url,
    nonce: response_nonce,
    refusal: error_detail ? (error_detail.message ?? '').slice(0, maxRefusal) : undefined,
    subscription: {
      kind: 'delta',
      subscribe: checked(request.resource_names_subscribe ?? []),
      unsubscribe: checked(request.resource_names_unsubscribe ?? []),
      initialVersions: new Map(initialVersions),
    },
  };
}

/** As long as a SPIFFE ID can be. */
const maxNameLength = 2048;

/** Names (and versions) are kept with the stream, and answers are made that hold them. */
function checked(names: string[]): string[] {
  if (names.some((name) => name.length > maxNameLength)) throw fault('XDS0105', { limit: maxNameLength });
  return names;
}

/** Refusals are logged: what a client writes must not fill a disk. */
const maxRefusal = 4096;

const worthIt = 4096;
const nodeExtensions = 9;

/**
 * The request without the list of extensions that Envoy is built with: 60 KB in the first request of every stream that
 * nobody here reads. Bytes that are no message come back as they are.
 */
function withoutExtensions(bytes: Buffer, nodeField: number): Buffer {
  if (bytes.length < worthIt) return bytes;
  try {
    return Buffer.concat(
      fieldsOf(bytes).map(({ number, whole, content }) => {
        if (number !== nodeField || !content) return whole;
        const kept = fieldsOf(content).filter((field) => field.number !== nodeExtensions);
        const node = Buffer.concat(kept.map((field) => field.whole));
        return protobuf.Writer.create()
          .uint32((nodeField << 3) | 2)
          .bytes(node)
          .finish();
      }),
    );
  } catch {
    // The decoder will say what is wrong with them.
    return bytes;
  }
}

interface RawField {
  readonly number: number;
  readonly whole: Uint8Array;
  /** Of a length-delimited field. */
  readonly content: Uint8Array | undefined;
}

function fieldsOf(bytes: Uint8Array): RawField[] {
  const reader = protobuf.Reader.create(bytes);
  const fields: RawField[] = [];
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const tag = reader.uint32();
    const isDelimited = (tag & 7) === 2;
    const content = isDelimited ? reader.bytes() : undefined;
    if (!isDelimited) reader.skipType(tag & 7);
    fields.push({ number: tag >>> 3, whole: bytes.subarray(start, reader.pos), content });
  }
  return fields;
}
