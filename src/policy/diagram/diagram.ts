import type { TrustDomain } from '../../spiffe/id.js';
import type { Policy } from '../language/model.js';
import type { Verdict } from '../request.js';
import { type Clause, clausesOf } from './clause.js';
import { type DimensionName, dimensions, type Split } from './dimension.js';

/**
 * A service's policy as one decision diagram: each node asks one dimension of the call which of the clauses stay alive, until
 * none is left to ask. Nodes are made when they are first walked to and shared by (dimension, live clauses).
 */
export interface Diagram {
  readonly service: string;
  /** Callers of every other trust domain are turned away before any rule is asked. */
  readonly trustDomains: readonly TrustDomain[];
  /** What the diagram was made from, in order; printed to Envoy as it is where a service is small. */
  readonly clauses: readonly Clause[];
  root(): DiagramNode;
}

export type DiagramNode = SplitNode | Leaf;

export interface SplitNode {
  readonly kind: 'split';
  readonly dimension: DimensionName;
  readonly split: Split;
  child(live: readonly Clause[]): DiagramNode;
}

export interface Leaf {
  readonly kind: 'leaf';
  /** The clauses that the call satisfies in every dimension, in order. */
  readonly live: readonly Clause[];
  readonly verdict: Verdict;
}

/** The name of what decides when no rule does, and of what turns a caller away that cannot be in any rule. */
export const defaultDeny = 'default-deny';
export const identityGuard = 'identity-guard';

/** `service` must be one of the policy's. */
export function buildDiagram(policy: Policy, service: string): Diagram {
  const clauses = clausesOf(policy, service);
  const trustDomains = [...policy.trustDomains.values()];
  const nodes = new Map<string, DiagramNode>();
  const nodeFor = (depth: number, live: readonly Clause[]): DiagramNode => {
    const key = `${depth}:${live.map(({ index }) => index).join(' ')}`;
    const known = nodes.get(key);
    if (known) return known;
    const dimension = dimensions[depth];
    const node: DiagramNode =
      dimension && live.length > 0
        ? {
            kind: 'split',
            dimension: dimension.name,
            split: dimension.split(live, trustDomains),
            child: (left) => nodeFor(depth + 1, left),
          }
        : { kind: 'leaf', live, verdict: verdictOf(live) };
    nodes.set(key, node);
    return node;
  };
  return {
    service,
    trustDomains,
    clauses,
    root: () => nodeFor(0, clauses),
  };
}

/** A deny overrides every allow; the deciding rule is the first of its effect. */
function verdictOf(live: readonly Clause[]): Verdict {
  const denied = live.find(({ rule }) => rule.effect === 'deny');
  if (denied) return { allowed: false, rule: denied.rule.id };
  const [allowed] = live;
  return allowed ? { allowed: true, rule: allowed.rule.id } : { allowed: false, rule: defaultDeny };
}
