import type { Bundle } from './bundle.js';
import type { TrustDomain } from './id.js';
import type { X509Svid } from './x509-svid.js';

/** A port: our own SVID as of now, and word of every rotation. */
export interface SvidSource {
  /** `undefined` while there is none. */
  current(): X509Svid | undefined;
  /** Calls `listener` after every change, until the returned function is called. */
  onChange(listener: () => void): () => void;
}

/** A port: the trust bundles that we hold, one a trust domain, never merged. */
export interface BundleSource {
  bundle(trustDomain: TrustDomain): Bundle | undefined;
  onChange(listener: () => void): () => void;
}
