import { denyAllFilter, extensionConfigTypeUrl } from '../envoy/rbac/http-filter.js';
import type { SpiffeId } from '../spiffe/id.js';
import type { VerifiedPeer } from '../transport/verified-peer.js';
import type { EncodedResource } from '../wire/resource.js';
import type { ResourceSource, View } from '../xds/source.js';
import type { PolicyState } from './policy-state.js';

/** A port that the server fills: whose policies an agent may have. */
export interface AgentAuthority {
  /** `changed` is called whenever the agent may serve other identities than before, until `close`. */
  follow(agent: SpiffeId, changed: () => void): { mayServe(id: SpiffeId): boolean; close(): void };
}

/**
 * The policies for agents, as an ECDS source: an agent gets exactly those of the services whose identity it may serve. While
 * no policy was ever in force in this life nothing is said, so that an agent keeps what it has through a restart.
 */
export function policySourceForAgents(
  state: PolicyState,
  authority: AgentAuthority,
): ResourceSource<VerifiedPeer> {
  return {
    typeUrl: extensionConfigTypeUrl,
    open({ id: agent }, changed) {
      const { mayServe, close } = authority.follow(agent, changed);
      const all = (): readonly EncodedResource[] | 'unknown' => {
        const policy = state.current();
        if (!policy) return 'unknown';
        return [...policy.filters.values()]
          .filter(({ identity }) => mayServe(identity))
          .map(({ filter }) => filter);
      };
      return viewOf(all, () => 'absent', [state.onChange(changed), close]);
    },
  };
}

/**
 * The policies for Envoys that are served without an agent between: every service's, and for every other name an explicit
 * deny-all, since an Envoy that is told "removed" before its first policy stays shut in silence.
 */
export function policySourceForEnvoys<Identity>(state: PolicyState): ResourceSource<Identity> {
  return {
    typeUrl: extensionConfigTypeUrl,
    open(_, changed) {
      const all = () => [...(state.current()?.filters.values() ?? [])].map(({ filter }) => filter);
      return viewOf(all, denyAllFilter, [state.onChange(changed)]);
    },
  };
}

function viewOf(
  all: () => readonly EncodedResource[] | 'unknown',
  otherwise: (name: string) => EncodedResource | 'absent',
  stops: readonly (() => void)[],
): View {
  return {
    all,
    resource: (name) => {
      const resources = all();
      if (resources === 'unknown') return 'unknown';
      return resources.find((resource) => resource.name === name) ?? otherwise(name);
    },
    close: () => {
      for (const stop of stops) stop();
    },
  };
}
