import type { Metadata } from '@grpc/grpc-js';
import { fault } from '../base/faults/fault.js';

/**
 * The header that a request which somebody tricked a workload's own HTTP client into making does not have (Workload Endpoint
 * §3, S19): exactly one, and exactly `true`. Throws WLA0101.
 */
export function requireSecurityHeader(metadata: Pick<Metadata, 'get'>): void {
  const [value, ...more] = metadata.get('workload.spiffe.io');
  if (value !== 'true' || more.length > 0) throw fault('WLA0101', {});
}
