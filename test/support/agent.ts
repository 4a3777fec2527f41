import type { AgentEntry } from '../../src/agent/snapshot.js';
import { type AttestedWorkload, vouchFor } from '../../src/registration/attested-workload.js';
import { parseSelector } from '../../src/registration/selector.js';
import { parseTrustDomain, workloadId } from '../../src/spiffe/id.js';

export const shop = parseTrustDomain('shop.example');

/** An entry of the trust domain `shop.example` as the agent knows it. */
export function agentEntry(name: string, overrides: Partial<AgentEntry> = {}): AgentEntry {
  return {
    id: `entry-${name}`,
    spiffeId: workloadId(shop, `/${name}`),
    selectors: [parseSelector(`unix:path:/opt/${name}`)],
    federatesWith: [],
    hint: '',
    createdAt: 1_700_000_000,
    revision: 0,
    ...overrides,
  };
}

/** A living workload with these selectors. */
export function workloadWith(...selectors: string[]): AttestedWorkload {
  return vouchFor({ pid: 4711, uid: 1000, selectors: selectors.map(parseSelector), isAlive: () => true });
}

/** A clock that stands until time passes (`advance`) or somebody sets it (`jump`, which `uptime` does not notice). */
export function standingClock(start = Date.now()) {
  let now = start;
  let uptime = 0;
  return {
    now: () => now,
    uptime: () => uptime,
    advance(ms: number) {
      now += ms;
      uptime += ms;
    },
    jump(ms: number) {
      now += ms;
    },
  };
}
