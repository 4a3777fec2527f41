import { contentVersion } from '../base/digest.js';
import { encodeAny, typeUrlOf } from '../wire/messages.js';
import type { MessageIn } from '../wire/names.js';
import type { EncodedResource } from '../wire/resource.js';

declare const checked: unique symbol;

/**
 * A `Secret` that passed every check: only `tlsCertificate` and the two functions of
 * `validation-context.ts` make one. Envoy remembers a secret that it refused and then refuses the next good one, so nothing
 * else is ever pushed.
 */
export interface CheckedSecret extends EncodedResource {
  readonly [checked]: true;
}

const secret = 'envoy.extensions.transport_sockets.tls.v3.Secret';

export const secretTypeUrl = typeUrlOf(secret);

/** Encodes a secret whose maker has checked it. To be called by the makers named above and by nobody else. */
export function sealSecret(name: string, value: Omit<MessageIn<typeof secret>, 'name'>): CheckedSecret {
  const any = encodeAny(secret, { name, ...value });
  return { name, version: contentVersion(any), any } as EncodedResource as CheckedSecret;
}
