import { type Alphabet, dotState, isLegalEnd } from './alphabet.js';
import { type Budget, spend } from './budget.js';
import { dead, type SegmentMatcher } from './segment-matcher.js';

/** Segments that pass exactly the same tests (the empty one by itself), with the shortest one that can be sent. */
export interface SegmentClass {
  readonly witness: string;
  readonly passed: readonly SegmentMatcher[];
}

interface Node {
  readonly text: string;
  readonly dots: number;
  /** The tests that may still pass, with their states. */
  readonly live: readonly (readonly [SegmentMatcher, number])[];
}

/**
 * Every combination of `tests` that some legal segment passes, exactly: the product of their automata, breadth first. An
 * answer that ran out of budget lacks some; `budget.left` is negative then.
 */
export function segmentClasses(
  tests: readonly SegmentMatcher[],
  alphabet: Alphabet,
  budget: Budget,
): SegmentClass[] {
  const classes = new Map<string, SegmentClass>();
  const seen = new Set<string>();
  let level: Node[] = [{ text: '', dots: 0, live: tests.map((test) => [test, 0] as const) }];
  while (level.length > 0) {
    const next: Node[] = [];
    for (const node of level) {
      if (!spend(budget)) return [...classes.values()];
      const passed = node.live.filter(([test, state]) => test.accepts(state)).map(([test]) => test);
      // The empty segment stands for itself alone: nothing may follow it.
      const key = `${node.text === ''}\n${passed.map((test) => test.key).join('\n')}`;
      if (isLegalEnd(node.dots, alphabet) && !classes.has(key))
        classes.set(key, { witness: node.text, passed });
      for (const child of childrenOf(node, alphabet)) {
        const childKey = keyOf(child);
        if (seen.has(childKey)) continue;
        seen.add(childKey);
        next.push(child);
      }
    }
    level = next;
  }
  return [...classes.values()];
}

function childrenOf(node: Node, alphabet: Alphabet): Node[] {
  // Where no test is left, nothing further can be told apart.
  if (node.live.length === 0 && node.text !== '') return [];
  const special = new Set(node.live.flatMap(([test, state]) => test.special(state)).filter(alphabet.allows));
  const other = alphabet.ordinary.find((symbol) => !special.has(symbol));
  const symbols = other === undefined ? [...special] : [other, ...special];
  return symbols.map((symbol) => ({
    text: node.text + symbol,
    dots: dotState(node.dots, symbol),
    live: node.live
      .map(([test, state]) => [test, test.next(state, symbol)] as const)
      .filter(([, state]) => state !== dead),
  }));
}

function keyOf({ dots, live }: Node): string {
  return `${dots} ${live.map(([test, state]) => `${test.key}\u0000${state}`).join('\n')}`;
}
