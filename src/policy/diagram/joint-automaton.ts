import type { Alphabet } from './alphabet.js';
import type { Budget } from './budget.js';
import type { Edge, SegmentSet } from './path-set.js';
import { segmentClasses } from './segment-classes.js';
import { matches, type SegmentMatcher } from './segment-matcher.js';

/** One deterministic automaton for many sets of segmented texts, built as far as it is walked. */
export interface JointAutomaton {
  /** Which of the sets (by index, ascending) a text is in. */
  setsWith(segments: readonly string[]): readonly number[];
  /**
   * Every combination of sets that some legal text under `prefix` is in, each with a shortest text, in segments. Lacks some
   * when the budget ran out.
   */
  combinations(prefix: readonly string[], alphabet: Alphabet, budget: Budget): Combination[];
}

export interface Combination {
  readonly sets: readonly number[];
  readonly witness: readonly string[];
}

export function jointAutomaton(sets: readonly SegmentSet[]): JointAutomaton {
  const table = new StateTable(sets);
  return {
    setsWith: (segments) => table.walk(segments).accepted,
    combinations: (prefix, alphabet, budget) => combinationsOf(table, prefix, alphabet, budget),
  };
}

interface Reached {
  readonly state: State;
  readonly witness: readonly string[];
}

function combinationsOf(
  table: StateTable,
  prefix: readonly string[],
  alphabet: Alphabet,
  budget: Budget,
): Combination[] {
  const found = new Map<string, Combination>();
  const seen = new Set<State>();
  let level: Reached[] = [{ state: table.walk(prefix), witness: prefix }];
  while (level.length > 0 && budget.left >= 0) {
    const next: Reached[] = [];
    for (const from of level) {
      for (const { witness: segment, passed } of segmentClasses(from.state.tests, alphabet, budget)) {
        const state = table.move(from.state, passed);
        const witness = [...from.witness, segment];
        const key = state.accepted.join(' ');
        if (!found.has(key)) found.set(key, { sets: state.accepted, witness });
        // An empty segment can only be the last: Envoy merges slashes.
        if (segment === '' || seen.has(state)) continue;
        seen.add(state);
        next.push({ state, witness });
      }
    }
    level = next;
  }
  return [...found.values()];
}

/** A set of (set, state) pairs, numbered through: what may still become of a text. */
interface State {
  readonly accepted: readonly number[];
  /** The distinct tests on the edges, and where each leads. */
  readonly tests: readonly SegmentMatcher[];
  readonly targets: ReadonlyMap<string, readonly number[]>;
  /** Where any segment leads. */
  readonly always: readonly number[];
  /** The tests for one text each, by that text: thousands of literals cost one look-up. */
  readonly literals: ReadonlyMap<string, SegmentMatcher>;
  readonly others: readonly SegmentMatcher[];
}

class StateTable {
  readonly start: State;
  private readonly offsets: number[] = [];
  private readonly owners: number[] = [];
  private readonly states = new Map<string, State>();
  private readonly sets: readonly SegmentSet[];

  constructor(sets: readonly SegmentSet[]) {
    this.sets = sets;
    for (const [index, { edges }] of sets.entries()) {
      this.offsets.push(this.owners.length);
      for (let state = 0; state < edges.length; state++) this.owners.push(index);
    }
    this.start = this.intern(this.offsets);
  }

  walk(segments: readonly string[]): State {
    let state = this.start;
    for (const segment of segments) {
      const literal = state.literals.get(segment);
      const passed = state.others.filter((test) => matches(test, segment));
      state = this.move(state, literal ? [literal, ...passed] : passed);
    }
    return state;
  }

  move(state: State, passed: readonly SegmentMatcher[]): State {
    const items = new Set(state.always);
    for (const { key } of passed) for (const item of state.targets.get(key) ?? []) items.add(item);
    return this.intern([...items].sort((a, b) => a - b));
  }

  private intern(items: readonly number[]): State {
    const key = items.join(' ');
    const known = this.states.get(key);
    if (known) return known;
    const state = this.build(items);
    this.states.set(key, state);
    return state;
  }

  private build(items: readonly number[]): State {
    const tests = new Map<string, SegmentMatcher>();
    const targets = new Map<string, number[]>();
    const always: number[] = [];
    const accepted: number[] = [];
    for (const item of items) {
      const owner = this.owners[item] ?? 0;
      const offset = this.offsets[owner] ?? 0;
      const set = this.sets[owner];
      if (set?.accepting[item - offset] && accepted.at(-1) !== owner) accepted.push(owner);
      for (const { test, to } of set?.edges[item - offset] ?? ([] as Edge[])) {
        if (!test) {
          always.push(to + offset);
          continue;
        }
        tests.set(test.key, test);
        const known = targets.get(test.key);
        if (known) known.push(to + offset);
        else targets.set(test.key, [to + offset]);
      }
    }
    const all = [...tests.values()];
    const literals = new Map(
      all.flatMap((test) => (test.only === undefined ? [] : [[test.only, test] as const])),
    );
    return {
      accepted,
      tests: all,
      targets,
      always,
      literals,
      others: all.filter(({ only }) => only === undefined),
    };
  }
}
