import type { SpiffeId } from '../../spiffe/id.js';
import type { Call } from '../request.js';
import { type Budget, spend } from './budget.js';
import type { Diagram, DiagramNode, Leaf } from './diagram.js';
import type { DimensionName } from './dimension.js';

/** A leaf with a call that ends in it and can really be sent. */
export interface WitnessedLeaf {
  readonly leaf: Leaf;
  readonly call: Call;
}

export interface Leaves {
  readonly leaves: readonly WitnessedLeaf[];
  /** Whether these are all. When the budget ran out they are not, and nothing may be concluded from what is missing. */
  readonly complete: boolean;
}

/** Every way through the diagram for calls at the instant `at` (milliseconds), each with a witness. */
export function leavesOf(diagram: Diagram, at: number, steps = 1_000_000): Leaves {
  const budget: Budget = { left: steps };
  const leaves: WitnessedLeaf[] = [];
  const visit = (node: DiagramNode, call: Call): void => {
    if (!spend(budget)) return;
    if (node.kind === 'leaf') leaves.push({ leaf: node, call });
    else if (node.dimension === 'time') visit(node.child(node.split.liveFor(call)), call);
    else {
      for (const { witness, live } of node.split.branches(budget)) {
        visit(node.child(live), withValue(call, node.dimension, witness));
      }
    }
  };
  const nobody = `spiffe://${diagram.trustDomains[0] ?? 'nobody'}/x` as SpiffeId;
  visit(diagram.root(), { caller: nobody, method: 'GET', path: '/', at });
  return { leaves, complete: budget.left >= 0 };
}

function withValue(call: Call, dimension: Exclude<DimensionName, 'time'>, value: string): Call {
  if (dimension === 'caller') return { ...call, caller: value as SpiffeId };
  return dimension === 'method' ? { ...call, method: value } : { ...call, path: value };
}
