import type { Clock } from '../base/clock.js';
import { createListeners } from '../base/listeners.js';
import type { Bundle } from '../spiffe/bundle.js';
import { type SpiffeId, type TrustDomain, workloadId } from '../spiffe/id.js';
import type { SvidSource } from '../spiffe/source.js';
import type { X509Svid } from '../spiffe/x509-svid.js';
import { isLate, isVouchedFor, rotationTime } from './issued-svid.js';

/** The agent's own SVID, by which the server knows it. */
export interface OwnSvid extends SvidSource {
  /** `since`: when it was issued, in milliseconds since the Unix epoch; half of its life is counted from there. */
  replace(svid: X509Svid, since: number): void;
  /** Whether it should be renewed: half of its life is over, or its authority no longer vouches for it. */
  isDue(bundle: Bundle): boolean;
  /** Whether it should have been renewed long ago (`isLate`). */
  isLate(): boolean;
  /** Milliseconds since the Unix epoch; Infinity while there is none. */
  nextRotation(): number;
}

export function createOwnSvid(options: { clock: Clock; random: () => number }): OwnSvid {
  const { clock, random } = options;
  let held: { svid: X509Svid; rotateAt: number } | undefined;
  const { onChange, tell } = createListeners();
  return {
    current: () => held?.svid,
    replace(svid, since) {
      held = { svid, rotateAt: rotationTime(svid.notAfter, since, random()) };
      tell();
    },
    isDue: (bundle) =>
      held !== undefined && (held.rotateAt <= clock.now() || !isVouchedFor(held.svid, bundle, clock.now())),
    isLate: () => held !== undefined && isLate(held.svid, held.rotateAt, clock.now()),
    nextRotation: () => held?.rotateAt ?? Infinity,
    onChange,
  };
}

/** Agents have IDs under `/spire/agent/` of their trust domain, and nothing else has. */
export function isAgentId(id: SpiffeId, trustDomain: TrustDomain): boolean {
  return id.startsWith(`${workloadId(trustDomain, '/spire/agent')}/`);
}
