import type { Selector } from './entry.js';
import { formatSelector } from './selector.js';

/** Selectors as a set that can be asked many times. */
export type SelectorSet = ReadonlySet<string>;

export function selectorSet(selectors: readonly Selector[]): SelectorSet {
  return new Set(selectors.map(formatSelector));
}

/**
 * Whether `wanted` is a subset of what was found out about a workload or a node. An empty list matches nothing: it would
 * match everybody.
 */
export function isSatisfied(wanted: readonly Selector[], found: SelectorSet): boolean {
  return wanted.length > 0 && wanted.every((selector) => found.has(formatSelector(selector)));
}
