import type { Selector } from '../../registration/entry.js';
import type { UnixPeer } from '../../transport/peer.js';

/** What one attestor found out about a process. */
export interface Findings {
  /** Only what is certain. */
  readonly selectors: readonly Selector[];
  /**
   * Whether the facts behind the selectors are still the same. Synchronous and cheap: asked before every push. That the
   * process lives and runs the same program under the same user and groups is looked at for all attestors.
   */
  stillHold(): boolean;
}

/** One way of finding out about the processes of this node: a folder a side here for each. */
export interface WorkloadAttestor {
  /** The type of its selectors, as SPIRE names it: `unix`. */
  readonly type: string;
  /**
   * What is known about the peer. A peer that this method has nothing to say about (no container, no unit) gets no selectors.
   * Throws when it cannot tell; then the whole attestation fails and the caller tries again (S25).
   */
  attest(peer: UnixPeer): Promise<Findings>;
}

/** For a peer that an attestor has nothing to say about. */
export function nothingToSay(stillHold: () => boolean): Findings {
  return { selectors: [], stillHold };
}
