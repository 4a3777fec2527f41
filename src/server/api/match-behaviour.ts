import { fault } from '../../base/faults/fault.js';

/** SPIRE's four ways to compare a set that a filter names with the set that something has. */
export type MatchBehaviour = 'MATCH_EXACT' | 'MATCH_SUBSET' | 'MATCH_SUPERSET' | 'MATCH_ANY';

/** Whether what something has matches what the filter names. An empty filter is refused: SRV0204. */
export function matchesSet(
  has: readonly string[],
  named: readonly string[],
  behaviour: MatchBehaviour | number | undefined = 'MATCH_EXACT',
): boolean {
  if (named.length === 0) throw fault('SRV0204', { problem: 'it names nothing' });
  const [own, asked] = [new Set(has), new Set(named)];
  const common = [...own].filter((one) => asked.has(one)).length;
  switch (behaviour) {
    case 'MATCH_EXACT':
      return common === own.size && common === asked.size;
    case 'MATCH_SUBSET':
      return common > 0 && common === own.size;
    case 'MATCH_SUPERSET':
      return common === asked.size;
    case 'MATCH_ANY':
      return common > 0;
    default:
      throw fault('SRV0204', { problem: `\`${behaviour}\` is not a way to match` });
  }
}
