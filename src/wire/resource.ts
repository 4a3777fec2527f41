/** One xDS resource, encoded once; every stream that sends it shares the bytes. */
export interface EncodedResource {
  readonly name: string;
  /** A content hash: equal bytes have equal versions on every replica and after every restart. */
  readonly version: string;
  /** The serialized `google.protobuf.Any` (type URL and value) of the resource. */
  readonly any: Uint8Array;
  /** Other names that the resource goes by (`envoy.service.discovery.v3.Resource.aliases`). */
  readonly aliases?: readonly string[];
}
