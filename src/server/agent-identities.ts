import type { SpiffeId } from '../spiffe/id.js';
import { type AuthorisedWatch, both } from './authorised-watch.js';
import type { Registry } from './registry.js';

/** Which identities each agent may serve, for whoever hands out what belongs to an identity (the port of `control/`). */
export interface AgentIdentities {
  /** `changed` is called whenever it may have become another answer, until `close`. */
  follow(agent: SpiffeId, changed: () => void): FollowedIdentities;
}

export interface FollowedIdentities {
  /** Whether there is an entry with this SPIFFE ID that the agent is authorised for. */
  mayServe(id: SpiffeId): boolean;
  close(): void;
}

/** Remembers what it worked out: of each agent the parents of its entries, and of each parent, for all agents, the identities. */
export function agentIdentities(registry: Registry, watch: AuthorisedWatch): AgentIdentities {
  const identities = new Map<SpiffeId, ReadonlySet<SpiffeId>>();
  registry.onChange(({ entries }) => {
    for (const { parentId } of entries.flatMap(both)) identities.delete(parentId);
  });
  const below = (parent: SpiffeId) => {
    const ids =
      identities.get(parent) ?? new Set([...registry.childrenOf(parent)].map(({ spiffeId }) => spiffeId));
    identities.set(parent, ids);
    return ids;
  };
  return {
    follow(agent, changed) {
      let parents = registry.authorisedParents(agent);
      const close = watch.watch(agent, (touched) => {
        if (touched === 'any') parents = registry.authorisedParents(agent);
        changed();
      });
      return { mayServe: (id) => [...parents].some((parent) => below(parent).has(id)), close };
    },
  };
}
