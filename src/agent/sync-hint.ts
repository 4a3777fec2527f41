import type { Identities } from './identities.js';
import type { PolicyFeed } from './policy-relay.js';

/**
 * The server pushes policies at once, and only those of services that the agent has entries for; entries themselves are
 * polled. So a policy for an identity that no entry names yet says that there is a new entry: time to sync. Returns how to
 * stop listening.
 */
export function syncOnNewService(feed: PolicyFeed, identities: Identities, syncSoon: () => void): () => void {
  return feed.onChange(() => {
    const policies = feed.current();
    const snapshot = identities.current();
    if (policies === 'unknown' || !snapshot) return;
    const known = new Set<string>(snapshot.entries.map(({ spiffeId }) => spiffeId));
    const services = [...policies.values()].flatMap(({ aliases = [] }) => aliases);
    if (services.some((id) => !known.has(id))) syncSoon();
  });
}
