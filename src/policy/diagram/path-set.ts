import type { CallerPattern } from '../language/caller-pattern.js';
import type { PathPattern } from '../language/path-pattern.js';
import type { Segment } from '../language/segment.js';
import {
  emptySegment,
  matches,
  notPlain,
  plain,
  type SegmentMatcher,
  segmentMatcher,
} from './segment-matcher.js';

/**
 * A regular set of texts that are read segment by segment, as an automaton without empty moves: `edges[state]`, state 0 at
 * the start. An edge without a test takes any segment.
 */
export interface SegmentSet {
  /** Equal keys, equal sets. */
  readonly key: string;
  readonly edges: readonly (readonly Edge[])[];
  readonly accepting: readonly boolean[];
  /** Whether a text that cannot be cut into segments (a path that does not start with `/`) is in the set. */
  readonly shapeless: boolean;
}

export interface Edge {
  readonly test: SegmentMatcher | undefined;
  readonly to: number;
}

/** The callers that a pattern means: the trust domain is the first segment. */
export function callersOf({ text, trustDomain, segments }: CallerPattern): SegmentSet {
  return chain(`c ${text}`, [{ kind: 'literal', text: trustDomain }, ...segments], false);
}

/** The paths that an allow means: exactly those that are written like the pattern. */
export function allowedPaths({ text, segments }: PathPattern): SegmentSet {
  return chain(`a ${text}`, segments, false);
}

/**
 * The paths that a deny means: the pattern in any case, with or without a trailing slash, and every path that is not plain,
 * since nobody can say what an application makes of it. `/**` means every path there is.
 */
export function deniedPaths({ text, segments }: PathPattern): SegmentSet {
  const last = segments.at(-1);
  const bare =
    last?.kind === 'literal' && last.text === '' && segments.length > 1 ? segments.slice(0, -1) : segments;
  const pattern = chain('', bare, true);
  const end = pattern.edges.length - 1;
  const slash = { test: emptySegment, to: end + 1 };
  const withSlash = {
    edges: [...pattern.edges.slice(0, end), [slash], []],
    accepting: [...pattern.accepting, true],
  };
  return union(`d ${text}`, withSlash, unplainPaths, true);
}

/** Whether every server reads the path in the same way; a deny on a path catches the others whatever its pattern. */
export function isPlainPath(path: string): boolean {
  const segments = pathSegments(path);
  return segments !== undefined && !contains({ key: '', ...unplainPaths, shapeless: true }, segments);
}

/** Some segment is not plain, or one that is not the last is empty. */
const unplainPaths = {
  edges: [
    [
      { test: plain, to: 0 },
      { test: notPlain, to: 2 },
      { test: emptySegment, to: 1 },
    ],
    [{ test: undefined, to: 2 }],
    [{ test: undefined, to: 2 }],
  ],
  accepting: [false, false, true],
};

/** `spiffe://prod.example/a/b` -> `prod.example`, `a`, `b`. */
export function callerSegments(id: string): string[] {
  return id.slice('spiffe://'.length).split('/');
}

/** `/a/b/` -> `a`, `b`, `` ; `undefined` for what does not start with a slash. */
export function pathSegments(path: string): string[] | undefined {
  return path.startsWith('/') ? path.slice(1).split('/') : undefined;
}

export function contains(set: SegmentSet, segments: readonly string[] | undefined): boolean {
  if (!segments) return set.shapeless;
  let states = new Set([0]);
  for (const segment of segments) {
    const next = new Set<number>();
    for (const state of states) {
      for (const { test, to } of set.edges[state] ?? []) {
        if (!next.has(to) && (!test || matches(test, segment))) next.add(to);
      }
    }
    states = next;
  }
  return [...states].some((state) => set.accepting[state]);
}

/** Built from the back: before `**`, a state has the moves of the state after it and a move to itself. */
function chain(key: string, segments: readonly Segment[], folded: boolean): SegmentSet {
  const edges: Edge[][] = [[]];
  const accepting = [true];
  for (let state = segments.length - 1; state >= 0; state--) {
    const segment = segments[state];
    if (!segment) continue;
    if (segment.kind === 'rest') {
      edges.unshift([{ test: undefined, to: state }, ...(edges[0] ?? [])]);
      accepting.unshift(accepting[0] ?? true);
    } else {
      edges.unshift([{ test: segmentMatcher(segment, folded), to: state + 1 }]);
      accepting.unshift(false);
    }
  }
  return { key, edges, accepting, shapeless: false };
}

type Shape = Pick<SegmentSet, 'edges' | 'accepting'>;

function union(key: string, a: Shape, b: Shape, shapeless: boolean): SegmentSet {
  const moved = (offset: number, edges: readonly Edge[] = []) =>
    edges.map(({ test, to }) => ({ test, to: to + offset }));
  const offsetB = 1 + a.edges.length;
  return {
    key,
    edges: [
      [...moved(1, a.edges[0]), ...moved(offsetB, b.edges[0])],
      ...a.edges.map((edges) => moved(1, edges)),
      ...b.edges.map((edges) => moved(offsetB, edges)),
    ],
    accepting: [Boolean(a.accepting[0] || b.accepting[0]), ...a.accepting, ...b.accepting],
    shapeless,
  };
}
