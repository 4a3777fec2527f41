import type { TrustDomain } from '../../spiffe/id.js';
import { httpMethods } from '../language/method.js';
import type { Call } from '../request.js';
import { type Alphabet, callerAlphabet, pathAlphabet } from './alphabet.js';
import type { Budget } from './budget.js';
import type { Clause } from './clause.js';
import { jointAutomaton } from './joint-automaton.js';
import {
  allowedPaths,
  callerSegments,
  callersOf,
  deniedPaths,
  pathSegments,
  type SegmentSet,
} from './path-set.js';

/** The dimensions of a call, in the order in which a diagram asks for them. */
export type DimensionName = 'caller' | 'method' | 'path' | 'time';

/** How one dimension splits calls by the clauses that they leave alive. */
export interface Split {
  /** The clauses that `call` satisfies in this dimension, in order. */
  liveFor(call: Call): readonly Clause[];
  /** Every set of clauses that some call leaves alive, each with a value that does. Lacks some when the budget ran out. */
  branches(budget: Budget): readonly Branch[];
}

export interface Branch {
  /** The value of the dimension: an ID, a method, a path, or an instant (RFC 3339). */
  readonly witness: string;
  readonly live: readonly Clause[];
}

export interface Dimension {
  readonly name: DimensionName;
  split(clauses: readonly Clause[], trustDomains: readonly TrustDomain[]): Split;
}

/** The order is that of the diagram. A later dimension (headers, ports, source addresses) is one more row here. */
export const dimensions: readonly Dimension[] = [
  { name: 'caller', split: splitCallers },
  { name: 'method', split: splitMethods },
  { name: 'path', split: splitPaths },
  { name: 'time', split: splitTime },
];

function splitCallers(clauses: readonly Clause[], trustDomains: readonly TrustDomain[]): Split {
  return splitTexts({
    clauses,
    prefixes: trustDomains.map((trustDomain) => [trustDomain]),
    setsOf: (clause) => clause.callers.map(callersOf),
    segmentsOf: (call) => callerSegments(call.caller),
    textOf: (segments) => `spiffe://${segments.join('/')}`,
    alphabet: callerAlphabet,
  });
}

function splitPaths(clauses: readonly Clause[]): Split {
  return splitTexts({
    clauses,
    prefixes: [[]],
    setsOf: ({ rule, operation: { path } }) => [
      rule.effect === 'deny' ? deniedPaths(path) : allowedPaths(path),
    ],
    segmentsOf: (call) => pathSegments(call.path),
    textOf: (segments) => `/${segments.join('/')}`,
    alphabet: pathAlphabet,
  });
}

interface TextDimension {
  clauses: readonly Clause[];
  /** What every text starts with, one of these. */
  prefixes: readonly (readonly string[])[];
  setsOf(clause: Clause): readonly SegmentSet[];
  segmentsOf(call: Call): readonly string[] | undefined;
  textOf(segments: readonly string[]): string;
  alphabet: Alphabet;
}

function splitTexts({ clauses, prefixes, setsOf, segmentsOf, textOf, alphabet }: TextDimension): Split {
  const owners = new Map<string, { set: SegmentSet; clauses: Clause[] }>();
  for (const clause of clauses) {
    for (const set of setsOf(clause)) {
      const known = owners.get(set.key);
      if (known) known.clauses.push(clause);
      else owners.set(set.key, { set, clauses: [clause] });
    }
  }
  const groups = [...owners.values()];
  const automaton = jointAutomaton(groups.map(({ set }) => set));
  const live = (sets: readonly number[]) => inOrder(sets.flatMap((index) => groups[index]?.clauses ?? []));
  return {
    liveFor: (call) => {
      const segments = segmentsOf(call);
      if (segments) return live(automaton.setsWith(segments));
      return inOrder(groups.filter(({ set }) => set.shapeless).flatMap((group) => group.clauses));
    },
    branches: (budget) => {
      const found = prefixes.flatMap((prefix) => automaton.combinations(prefix, alphabet, budget));
      return distinct(found.map(({ sets, witness }) => ({ witness: textOf(witness), live: live(sets) })));
    },
  };
}

function splitMethods(clauses: readonly Clause[]): Split {
  const named = new Set(clauses.flatMap(({ operation }) => operation.method ?? []));
  const liveFor = (method: string) =>
    clauses.filter(({ operation }) => operation.method === undefined || operation.method === method);
  const other = [...httpMethods].find((method) => !named.has(method)) ?? 'OTHER';
  return {
    liveFor: (call) => liveFor(call.method),
    branches: () => distinct([...named, other].map((method) => ({ witness: method, live: liveFor(method) }))),
  };
}

function splitTime(clauses: readonly Clause[]): Split {
  const liveAt = (at: number) => clauses.filter(({ rule }) => rule.until === undefined || at < rule.until.ms);
  const ends = new Set(clauses.flatMap(({ rule }) => rule.until?.ms ?? []));
  return {
    liveFor: (call) => liveAt(call.at),
    branches: () =>
      distinct([0, ...ends].map((at) => ({ witness: new Date(at).toISOString(), live: liveAt(at) }))),
  };
}

/** A clause that two patterns let in is alive once. */
function inOrder(clauses: readonly Clause[]): Clause[] {
  return [...new Set(clauses)].sort((a, b) => a.index - b.index);
}

function distinct(branches: readonly Branch[]): Branch[] {
  const byLive = new Map<string, Branch>();
  for (const branch of branches) {
    const key = branch.live.map(({ index }) => index).join(' ');
    if (!byLive.has(key)) byLive.set(key, branch);
  }
  return [...byLive.values()];
}
