import { integerOf, type Work } from './unit.js';

/** How much of everything a store has. */
export interface StoreCounts {
  readonly entries: number;
  readonly agents: number;
  readonly bannedAgents: number;
  readonly joinTokens: number;
  readonly federatedBundles: number;
}

export function* storeCounts(): Work<StoreCounts> {
  const [row] = yield [
    `select (select count(*) from entries) as entries,
            (select count(*) from agents) as agents,
            (select count(*) from agents where banned = 1) as banned_agents,
            (select count(*) from join_tokens) as join_tokens,
            (select count(*) from federated_bundles) as federated_bundles`,
    [],
  ];
  if (!row) throw new Error('a select without a table has one row');
  return {
    entries: integerOf(row, 'entries'),
    agents: integerOf(row, 'agents'),
    bannedAgents: integerOf(row, 'banned_agents'),
    joinTokens: integerOf(row, 'join_tokens'),
    federatedBundles: integerOf(row, 'federated_bundles'),
  };
}
