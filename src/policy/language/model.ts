import type { Instant } from '../../base/instant.js';
import type { SourceRange } from '../../base/source.js';
import type { SpiffeId, TrustDomain } from '../../spiffe/id.js';
import type { CallerPattern } from './caller-pattern.js';
import type { PathPattern } from './path-pattern.js';

/** All files of a policy directory as one policy, every name resolved and everything understood. */
export interface Policy {
  /** By the name that the policy gives them. */
  readonly trustDomains: ReadonlyMap<string, TrustDomain>;
  /** Callers and groups by name, resolved to patterns; services are in it too, as callers. */
  readonly callers: ReadonlyMap<string, readonly CallerPattern[]>;
  readonly services: ReadonlyMap<string, Service>;
  /** By file, then as written: "first" always means first in here. */
  readonly rules: readonly Rule[];
  readonly tests: readonly PolicyTest[];
}

export interface Service {
  readonly name: string;
  readonly identity: SpiffeId;
  /** The identity as a caller: a service calls others under its own name. */
  readonly caller: CallerPattern;
  readonly protocol: 'http';
  readonly at: SourceRange;
}

export type Effect = 'allow' | 'deny';

export interface Rule {
  /** `file:rule`, at most 128 of [A-Za-z0-9._:/-]: what logs, metrics and verdicts say. */
  readonly id: string;
  readonly name: string;
  readonly effect: Effect;
  readonly callers: readonly CallerPattern[];
  /** As written in `from`. */
  readonly from: readonly string[];
  readonly services: readonly string[];
  readonly operations: readonly Operation[];
  /** The rule holds before this instant and not at it. */
  readonly until: Instant | undefined;
  readonly reason: string | undefined;
  /** Its name in the file. */
  readonly at: SourceRange;
}

/** `GET /v1/orders/*` */
export interface Operation {
  /** As written. */
  readonly text: string;
  /** `undefined` for `ANY`. */
  readonly method: string | undefined;
  readonly path: PathPattern;
  readonly pathAt: SourceRange;
}

/** A sampled request and what must become of it. */
export interface PolicyTest {
  readonly caller: SpiffeId;
  readonly service: string;
  readonly method: string;
  readonly path: string;
  readonly expect: Effect;
  /** The rule that must decide, as `file:rule`, or `default-deny`. */
  readonly by: string | undefined;
  readonly atInstant: Instant | undefined;
  readonly at: SourceRange;
}
