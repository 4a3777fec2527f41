import { fault } from '../base/faults/fault.js';
import { decode, typeUrlOf } from '../wire/messages.js';
import type { EncodedResource } from '../wire/resource.js';
import { handedOn, type ReceivedResource } from '../xds/client.js';

const rbac = 'envoy.extensions.filters.http.rbac.v3.RBAC';

/**
 * Takes a policy from the server only if Envoy would enforce it: an RBAC filter whose inner name is its own, with a matcher
 * that denies what it does not match. An RBAC filter with neither matcher nor rules lets everything through. Throws AGT0601.
 */
export function readPolicy(received: ReceivedResource): EncodedResource {
  const { name, value } = received;
  const refuse = (problem: string) => fault('AGT0601', { name, problem });
  const { name: inner, typed_config } = decode('envoy.config.core.v3.TypedExtensionConfig', value);
  if (inner !== name) throw refuse(`it calls itself \`${inner ?? ''}\``);
  if (typed_config?.type_url !== typeUrlOf(rbac)) throw refuse('it is no RBAC filter');
  const { matcher } = decode(rbac, typed_config.value ?? new Uint8Array());
  if (!matcher?.on_no_match) throw refuse('it does not say what happens to a request that nothing matches');
  return handedOn(received);
}
