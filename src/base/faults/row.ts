/** The gRPC status codes that a fault may map to, by name (https://grpc.io/docs/guides/status-codes/). */
export type StatusName =
  | 'INVALID_ARGUMENT'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'PERMISSION_DENIED'
  | 'UNAUTHENTICATED'
  | 'RESOURCE_EXHAUSTED'
  | 'FAILED_PRECONDITION'
  | 'ABORTED'
  | 'UNIMPLEMENTED'
  | 'INTERNAL'
  | 'UNAVAILABLE'
  | 'DATA_LOSS';

/**
 * One row of the fault table. Style of a sentence: no capital, no full stop, what the user wrote in backticks, no internal
 * names. The sentence says what is wrong and never the way out; the hint says the way out.
 */
export interface FaultRow {
  sentence: string;
  hint: string;
  status: StatusName;
}
