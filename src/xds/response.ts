import protobuf, { type Writer } from 'protobufjs';
import { contentVersion } from '../base/digest.js';
import { sameMembers } from '../base/same-members.js';
import type { EncodedResource } from '../wire/resource.js';

export type Protocol = 'sotw' | 'delta';

/**
 * The end of a nonce that says: a client that wants everything has not heard everything yet. To other clients than ours a nonce
 * says nothing; the protocol itself has no word for it.
 */
export const moreToCome = '.more';

/** A response before it is bytes. */
export interface XdsResponse {
  /** By name. */
  readonly resources: readonly EncodedResource[];
  /** Names, delta only. */
  readonly removed: readonly string[];
  readonly version: string;
  readonly nonce: string;
}

/** The version of several resources together: a hash, whatever order they came in. */
export function versionOf(resources: readonly EncodedResource[], removed: readonly string[] = []): string {
  const [only] = resources;
  if (!only || removed.length > 0) return hashOf(resources, removed);
  if (resources.length === 1) return only.version;
  const known = versions.get(only);
  if (known && sameMembers(known.resources, resources)) return known.version;
  const version = hashOf(resources, removed);
  versions.set(only, { resources, version });
  return version;
}

/** Of what many streams send together, kept as long as the first resource. */
const versions = new WeakMap<EncodedResource, { resources: readonly EncodedResource[]; version: string }>();

function hashOf(resources: readonly EncodedResource[], removed: readonly string[]): string {
  return contentVersion(
    JSON.stringify([resources.map(({ name, version }) => [name, version]).sort(), [...removed].sort()]),
  );
}

/** Frames that many streams send, kept as long as their first resource. */
const frames: Record<
  Protocol,
  WeakMap<EncodedResource, { version: string; nonce: string; typeUrl: string; frame: Buffer }>
> = {
  sotw: new WeakMap(),
  delta: new WeakMap(),
};

/** The bytes of a response. Streams that send the same resources share them. */
export function frameOf(protocol: Protocol, typeUrl: string, response: XdsResponse): Buffer {
  const [first] = response.resources;
  const known = first && frames[protocol].get(first);
  const { version, nonce } = response;
  // The version is a hash over all resources.
  if (known?.version === version && known.nonce === nonce && known.typeUrl === typeUrl) return known.frame;
  const frame = protocol === 'sotw' ? encodeResponse(typeUrl, response) : encodeDelta(typeUrl, response);
  if (first) frames[protocol].set(first, { version, nonce, typeUrl, frame });
  return frame;
}

// Written by hand, since resources come as the bytes of their Any: fields of envoy/service/discovery/v3/discovery.proto.

function encodeResponse(typeUrl: string, { resources, version, nonce }: XdsResponse): Buffer {
  const writer = protobuf.Writer.create().uint32(tag(1)).string(version);
  for (const { any } of resources) writer.uint32(tag(2)).bytes(any);
  return finish(writer.uint32(tag(4)).string(typeUrl).uint32(tag(5)).string(nonce));
}

function encodeDelta(typeUrl: string, { resources, removed, version, nonce }: XdsResponse): Buffer {
  const writer = protobuf.Writer.create().uint32(tag(1)).string(version);
  for (const resource of resources) {
    writer.uint32(tag(2)).fork();
    writer.uint32(tag(1)).string(resource.version).uint32(tag(2)).bytes(resource.any);
    writer.uint32(tag(3)).string(resource.name);
    for (const alias of resource.aliases ?? []) writer.uint32(tag(4)).string(alias);
    writer.ldelim();
  }
  writer.uint32(tag(4)).string(typeUrl).uint32(tag(5)).string(nonce);
  for (const name of removed) writer.uint32(tag(6)).string(name);
  return finish(writer);
}

const tag = (field: number): number => (field << 3) | 2;

/** In Node the writer is protobufjs's BufferWriter, whose `finish` gives a Buffer. */
const finish = (writer: Writer): Buffer => writer.finish() as Buffer;
