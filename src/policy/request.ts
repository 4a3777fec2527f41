import type { SpiffeId } from '../spiffe/id.js';

/** One call as the enforcement point sees it. The path is in Envoy's canonical form, without its query. */
export interface Call {
  readonly caller: SpiffeId;
  /** As written on the wire, e.g. `GET`. */
  readonly method: string;
  readonly path: string;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
}

/** What the policy says of one call, and which rule decided: `file:rule`, `default-deny`, or `identity-guard`. */
export interface Verdict {
  readonly allowed: boolean;
  readonly rule: string;
}
