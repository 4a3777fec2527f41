import type { Clock } from '../base/clock.js';
import { fault } from '../base/faults/fault.js';
import type { Bundle } from '../spiffe/bundle.js';
import { bundleSha256 } from '../spiffe/bundle-pem.js';
import type { TrustDomain } from '../spiffe/id.js';
import type { Log } from '../telemetry/log.js';
import { serverVerifier, type VerifyServer } from './server-trust.js';

/**
 * How an agent that knows nobody yet comes to trust its server; the operator says it, there is no default. `bundle`: the
 * trust bundle itself. `sha256`: its fingerprint (`sha256sum bundle.pem`), lower-case hexadecimal. `insecure`: whoever
 * answers first.
 */
export type BootstrapTrust =
  | { readonly kind: 'bundle'; readonly bundle: Bundle }
  | { readonly kind: 'sha256'; readonly fingerprint: string }
  | { readonly kind: 'insecure' };

/** GetBundle over a connection of its own without client certificate; `verifyServer` sees the server's certificates. */
export type FetchBundle = (verifyServer: VerifyServer) => Promise<Bundle>;

/**
 * The first trust bundle. Nothing secret is sent before it is there: the connection that brings a bundle is given up, and the
 * join token goes over a new one whose server that bundle verifies. Throws AGT0201 when the server that answered does not
 * stand under the bundle it sent, AGT0202 when the bundle has another fingerprint.
 */
export async function bootstrapBundle(
  trust: BootstrapTrust,
  options: { address: string; trustDomain: TrustDomain; fetchBundle: FetchBundle; clock: Clock; log: Log },
): Promise<Bundle> {
  if (trust.kind === 'bundle') return trust.bundle;
  const { address, trustDomain, fetchBundle, clock, log } = options;
  if (trust.kind === 'insecure') {
    log.warn({ address, trustDomain }, 'INSECURE: trusting whichever server answers first');
  }
  let presented: readonly Uint8Array[] = [];
  const bundle = await fetchBundle((chain) => {
    presented = chain;
  });
  const found = bundleSha256(bundle);
  if (trust.kind === 'sha256' && found !== trust.fingerprint) {
    throw fault('AGT0202', { address, expected: trust.fingerprint, found });
  }
  serverVerifier({ address: () => address, trustDomain, bundle: () => bundle, clock })(presented);
  log.info({ address, trustDomain, sha256: found }, 'took the first trust bundle from the server');
  return bundle;
}
