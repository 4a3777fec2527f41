import { fault } from '../base/faults/fault.js';
import type { Bundle } from '../spiffe/bundle.js';
import { trustDomainId } from '../spiffe/id.js';
import { encode } from '../wire/messages.js';
import type { StateAnswer } from './state-stream.js';
import { bundlesIn, identitiesIn, requireIdentity } from './view.js';

/**
 * `X509SVIDResponse`: every identity that has an SVID, and the bundles to judge others by (Workload API §5.2.1). Nothing is said
 * while the default identity has none: another one must not silently take its place.
 */
export const x509Svids: StateAnswer = {
  parts(view, workload) {
    requireIdentity(view, workload);
    const identities = identitiesIn(view);
    const [first] = identities;
    if (!first?.svid) return fault('WLA0204', { id: first?.id ?? '' });
    const svids = identities.flatMap(({ svid, hint }) => (svid ? [svid, hint] : []));
    return [...svids, ...bundlesIn(view)];
  },
  encode(view) {
    const bundle = derOf(view.bundle);
    return encode('X509SVIDResponse', {
      svids: identitiesIn(view).flatMap(({ svid, hint }) =>
        svid
          ? [
              {
                spiffe_id: svid.id,
                x509_svid: Buffer.concat(svid.chain),
                x509_svid_key: Buffer.from(svid.privateKey),
                bundle,
                hint,
              },
            ]
          : [],
      ),
      federated_bundles: bundlesByDomain(view.federated),
    });
  },
};

/** `X509BundlesResponse`: the same bundles, the own one among them (Workload API §5.2.2). */
export const x509Bundles: StateAnswer = {
  parts(view, workload) {
    requireIdentity(view, workload);
    return bundlesIn(view);
  },
  encode: ({ bundle, federated }) =>
    encode('X509BundlesResponse', { bundles: bundlesByDomain([bundle, ...federated]) }),
};

function bundlesByDomain(bundles: readonly Bundle[]): Record<string, Buffer> {
  return Object.fromEntries(
    bundles.map((bundle) => [trustDomainId(bundle.trustDomain), derOf(bundle)] as const),
  );
}

/** Root certificates one after the other, as they are: the fields are not PEM. */
function derOf({ x509Authorities }: Bundle): Buffer {
  return Buffer.concat(x509Authorities.map(({ der }) => der));
}
