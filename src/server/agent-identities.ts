import type { SpiffeId } from '../spiffe/id.js';
import type { Registry } from './registry.js';

/** Which identities each agent may serve, for whoever hands out what belongs to an identity (the port of `control/`). */
export interface AgentIdentities {
  authorisedIds(agent: SpiffeId): ReadonlySet<SpiffeId>;
  /** Calls `listener` after every change of entries or agents, until the returned function is called. */
  onChange(listener: () => void): () => void;
}

/** Remembers what it worked out until entries or agents change. */
export function agentIdentities(registry: Registry): AgentIdentities {
  const known = new Map<SpiffeId, ReadonlySet<SpiffeId>>();
  const listeners = new Set<() => void>();
  registry.onChange(() => {
    known.clear();
    for (const listener of [...listeners]) listener();
  });
  return {
    authorisedIds: (agent) => {
      const ids =
        known.get(agent) ??
        new Set([...registry.authorisedEntries(agent).values()].map(({ spiffeId }) => spiffeId));
      known.set(agent, ids);
      return ids;
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
