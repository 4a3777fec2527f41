import { renderDiagnostics } from '../../src/base/diagnostics/render.js';
import { type CheckedFilter, httpFilter } from '../../src/envoy/rbac/http-filter.js';
import { buildDiagram } from '../../src/policy/diagram/diagram.js';
import { loadPolicy } from '../../src/policy/language/load.js';
import { parseWorkloadId } from '../../src/spiffe/id.js';

/** The policy of the service `orders` of shop.example, compiled from the rules (YAML) of a policy file. */
export function ordersPolicy(rules: string): CheckedFilter {
  const text = `
version: 1
trustDomains: { shop: { id: shop.example } }
callers: { web: shop:/web }
services: { orders: { identity: shop:/orders, protocol: http } }
rules:
${rules}`;
  const { policy, diagnostics } = loadPolicy([{ name: 'shop.yaml', path: 'shop.yaml', text }], Date.now());
  if (!policy) throw new Error(renderDiagnostics(diagnostics));
  return httpFilter(
    buildDiagram(policy, 'orders'),
    parseWorkloadId('spiffe://shop.example/orders'),
    Date.now(),
  );
}
