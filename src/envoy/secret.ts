import { typeUrlOf } from '../wire/messages.js';
import type { EncodedResource } from '../wire/resource.js';

declare const checked: unique symbol;

/**
 * A `Secret` that passed every check: only `tlsCertificate` and the two functions of `validation-context.ts` make one. Envoy
 * remembers a secret that it refused and then refuses the next good one, so nothing else is ever pushed.
 */
export interface CheckedSecret extends EncodedResource {
  readonly [checked]: true;
}

export const secretTypeUrl = typeUrlOf('envoy.extensions.transport_sockets.tls.v3.Secret');
