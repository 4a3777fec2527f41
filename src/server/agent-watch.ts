import type { Clock } from '../base/clock.js';
import type { SpiffeId } from '../spiffe/id.js';
import type { VerifiedPeer } from '../transport/verified-peer.js';
import type { Registry } from './registry.js';

/** Tells whoever serves an agent that it may not be served any more. */
export interface AgentWatch {
  /**
   * Calls `ended` once, as soon as the peer is not active: its agent was banned or deleted, shows another SVID, or the SVID
   * that it showed has expired. Until the returned function is called.
   */
  whenInactive(peer: VerifiedPeer, ended: () => void): () => void;
}

const longestTimerMs = 2 ** 31 - 1;

export function watchAgents(
  registry: Registry,
  isActive: (peer: VerifiedPeer) => boolean,
  clock: Clock,
): AgentWatch {
  const watched = new Map<SpiffeId, Set<() => void>>();
  registry.onChange(({ agents }) => {
    for (const id of agents) for (const look of [...(watched.get(id) ?? [])]) look();
  });
  return {
    whenInactive: (peer, ended) => {
      let timer: NodeJS.Timeout | undefined;
      const stop = () => {
        clearTimeout(timer);
        const looks = watched.get(peer.id);
        if (looks?.delete(look) && looks.size === 0) watched.delete(peer.id);
      };
      const look = () => {
        clearTimeout(timer);
        if (isActive(peer)) {
          // An SVID is good to the end of its last millisecond.
          const left = Math.max(peer.notAfter + 1 - clock.now(), 1);
          timer = setTimeout(look, Math.min(left, longestTimerMs)).unref();
          return;
        }
        stop();
        ended();
      };
      watched.set(peer.id, (watched.get(peer.id) ?? new Set()).add(look));
      look();
      return stop;
    },
  };
}
