import { createListeners } from '../../src/base/listeners.js';
import type { Bundle } from '../../src/spiffe/bundle.js';
import type { BundleSource, SvidSource } from '../../src/spiffe/source.js';
import type { X509Svid } from '../../src/spiffe/x509-svid.js';

/** An SVID source whose SVID a test rotates. */
export function rotatingSvid(first?: X509Svid): SvidSource & { rotate(next: X509Svid): void } {
  const { onChange, tell } = createListeners();
  let svid = first;
  return {
    current: () => svid,
    onChange,
    rotate(next) {
      svid = next;
      tell();
    },
  };
}

/** Bundles that a test adds and takes away. */
export function bundlesOf(...bundles: Bundle[]): BundleSource & { remove(bundle: Bundle): void } {
  const held = new Map(bundles.map((bundle) => [bundle.trustDomain, bundle]));
  return {
    bundle: (trustDomain) => held.get(trustDomain),
    onChange: () => () => {},
    remove: (bundle) => void held.delete(bundle.trustDomain),
  };
}
