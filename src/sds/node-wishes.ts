import type { ClientNode } from '../xds/request.js';

const key = 'disable_spiffe_cert_validation';

/**
 * Whether a client says in its node metadata that it wants validation contexts without Envoy's SPIFFE validator, as SPIRE's
 * agent has it: `disable_spiffe_cert_validation`, a boolean or a text that Go's `strconv.ParseBool` reads. Anything else says
 * nothing.
 */
export function wantsPlainContexts(node: ClientNode | undefined): boolean {
  const wish = node?.metadata?.fields?.[key];
  if (wish?.boolValue !== undefined) return wish.boolValue;
  return ['1', 't', 'T', 'true', 'TRUE', 'True'].includes(wish?.stringValue ?? '');
}
