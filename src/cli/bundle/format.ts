import { Option } from 'commander';
import type { Bundle } from '../../spiffe/bundle.js';
import { bundleFromJwks, bundleToJwks } from '../../spiffe/bundle-jwks.js';
import { bundleFromPem, bundleToPem } from '../../spiffe/bundle-pem.js';
import type { TrustDomain } from '../../spiffe/id.js';

/** `pem` has the X.509 authorities only; `spiffe` is the standard's own format, a JWK set, and has everything. */
export type BundleFormat = 'pem' | 'spiffe';

export function formatOption(): Option {
  return new Option(
    '--format <format>',
    'pem: certificates only; spiffe: a JWK set, with the keys of JWT-SVIDs too',
  )
    .choices(['pem', 'spiffe'])
    .default('pem');
}

export function bundleText(bundle: Bundle, format: BundleFormat): string {
  return format === 'pem' ? bundleToPem(bundle) : bundleToJwks(bundle);
}

/** Throws IDN02xx, IDN03xx. */
export function bundleFromText(trustDomain: TrustDomain, text: string, format: BundleFormat): Bundle {
  return format === 'pem' ? bundleFromPem(trustDomain, text) : bundleFromJwks(trustDomain, text);
}
