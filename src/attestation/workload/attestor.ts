import type { Selector } from '../../registration/entry.js';
import type { UnixPeer } from '../../transport/peer.js';

/** What one attestor found out about a process. */
export interface Findings {
  /** Only what is certain: a fact that could not be read is left out, which can never widen a match (S25). */
  readonly selectors: readonly Selector[];
  /** Whether the facts behind the selectors are still the same. Synchronous and cheap: asked before every push. */
  stillHold(): boolean;
}

/** One way of finding out about the processes of this node. Docker, Kubernetes and systemd are others of the same shape. */
export interface WorkloadAttestor {
  /** The type of its selectors, as SPIRE names it: `unix`. */
  readonly type: string;
  /**
   * What is known about the peer. A peer that this method has nothing to say about gets no selectors. Throws only when
   * the answer would be wrong, as when the process changed under its hands.
   */
  attest(peer: UnixPeer): Promise<Findings>;
}
