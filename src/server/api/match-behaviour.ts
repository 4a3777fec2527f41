import { fault } from '../../base/faults/fault.js';
import type { Selector } from '../../registration/entry.js';
import { checkSelector, formatSelector } from '../../registration/selector.js';
import type { MessageOut } from '../../wire/names.js';
import { selectorsIn } from './messages.js';

/** SPIRE's four ways to compare a set that a filter names with the set that something has. */
export type MatchBehaviour = 'MATCH_EXACT' | 'MATCH_SUBSET' | 'MATCH_SUPERSET' | 'MATCH_ANY';

type Comparison = (common: number, own: number, asked: number) => boolean;

const comparisons: ReadonlyMap<string | number, Comparison> = new Map<MatchBehaviour, Comparison>([
  ['MATCH_EXACT', (common, own, asked) => common === own && common === asked],
  ['MATCH_SUBSET', (common, own) => common > 0 && common === own],
  ['MATCH_SUPERSET', (common, _, asked) => common === asked],
  ['MATCH_ANY', (common) => common > 0],
]);

/**
 * Whether what something has (without repetitions) matches what a filter names. SRV0204 for a filter that names nothing, or
 * a behaviour that there is not.
 */
export function setMatcher(
  named: readonly string[],
  behaviour: MatchBehaviour | number = 'MATCH_EXACT',
): (has: readonly string[]) => boolean {
  const compare = comparisons.get(behaviour);
  if (!compare) throw fault('SRV0204', { problem: `\`${behaviour}\` is not a way to match` });
  const asked = new Set(named);
  if (asked.size === 0) throw fault('SRV0204', { problem: 'it names nothing' });
  return (has) => compare(has.filter((one) => asked.has(one)).length, has.length, asked.size);
}

/** The same for selectors. Throws REG01xx too, for what cannot be one. */
export function selectorMatcher({
  selectors,
  match,
}: MessageOut<'spire.api.types.SelectorMatch'>): (has: readonly Selector[]) => boolean {
  const matches = setMatcher(selectorsIn(selectors).map(checkSelector).map(formatSelector), match);
  return (has) => matches(has.map(formatSelector));
}
