import { trustDomainOf } from '../../spiffe/id.js';
import type { Call, Verdict } from '../request.js';
import { type Diagram, type DiagramNode, identityGuard, type Leaf } from './diagram.js';

/** What the policy says of a call: a walk down the diagram. */
export function decide(diagram: Diagram, call: Call): Verdict {
  if (!diagram.trustDomains.includes(trustDomainOf(call.caller)))
    return { allowed: false, rule: identityGuard };
  return leafFor(diagram, call).verdict;
}

/** The leaf that a call ends in, its trust domain not looked at. */
export function leafFor(diagram: Diagram, call: Call): Leaf {
  let node: DiagramNode = diagram.root();
  while (node.kind === 'split') node = node.child(node.split.liveFor(call));
  return node;
}
