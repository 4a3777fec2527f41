import { contentVersion } from '../base/digest.js';
import { encodeAny } from '../wire/messages.js';
import type { MessageIn } from '../wire/names.js';
import type { EncodedResource } from '../wire/resource.js';
import type { CheckedSecret } from './secret.js';

const secret = 'envoy.extensions.transport_sockets.tls.v3.Secret';

/** Encodes a secret that its caller has checked. A rule on imports keeps it for the files that check. */
export function sealSecret(name: string, value: Omit<MessageIn<typeof secret>, 'name'>): CheckedSecret {
  const any = encodeAny(secret, { name, ...value });
  const resource: EncodedResource = { name, version: contentVersion(any), any };
  return resource as CheckedSecret;
}
