import type { ClientNode } from '../xds/request.js';

const key = 'disable_spiffe_cert_validation';

/**
 * Whether a client gets validation contexts without Envoy's SPIFFE validator, as SPIRE's agent decides it. Envoys up to 1.17 do
 * not have the validator. Others get what `byDefault` says, unless their node metadata say otherwise, either way:
 * `disable_spiffe_cert_validation`, a boolean or a text that Go's `strconv.ParseBool` reads; anything else says nothing.
 */
export function wantsPlainContexts(node: ClientNode | undefined, byDefault: boolean): boolean {
  if (isBeforeValidator(node)) return true;
  const wish = node?.metadata?.fields?.[key];
  if (wish?.boolValue !== undefined) return wish.boolValue;
  const said = wish?.stringValue;
  if (said === undefined) return byDefault;
  return yes.has(said) || (byDefault && !no.has(said));
}

const yes = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);
const no = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False']);

/** A client that says no version is taken for a new one. */
function isBeforeValidator(node: ClientNode | undefined): boolean {
  const build = node?.user_agent_build_version;
  if (!build) return false;
  const { major_number: major = 0, minor_number: minor = 0 } = build.version ?? {};
  return major < 1 || (major === 1 && minor <= 17);
}
