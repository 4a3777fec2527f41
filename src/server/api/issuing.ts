import type { Clock } from '../../base/clock.js';
import type { Entry } from '../../registration/entry.js';
import type { SpiffeId } from '../../spiffe/id.js';
import { agentDenied } from '../agent-denied.js';
import type { Registry } from '../registry.js';

/** How long an SVID for an entry may last, in seconds: `ttl` at most, and never longer than the entry itself (S9). */
export function lifetimeWithin({ expiresAt }: Entry, ttl: number, clock: Clock): number {
  return expiresAt === 0 ? ttl : Math.min(ttl, expiresAt - clock.now() / 1000);
}

/** An agent that was shut out while its SVIDs were signed does not get them. Throws SRV0103, SRV0105. */
export function refuseIfGone(registry: Registry, id: SpiffeId): void {
  const agent = registry.agent(id);
  if (!agent) throw agentDenied('SRV0103', 'AGENT_NOT_ATTESTED');
  if (agent.banned) throw agentDenied('SRV0105', 'AGENT_BANNED');
}
