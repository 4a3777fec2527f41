import { fault } from '../base/faults/fault.js';
import type { Bundle } from './bundle.js';
import { bundleFromJson, bundleToJwks, parsedJson } from './bundle-jwks.js';
import { parseTrustDomain, type TrustDomain } from './id.js';

/**
 * Bundles of several trust domains, as one value (Trust Domain and Bundle §5). It is the state of the world: who takes a new
 * one takes all of it, and a trust domain that is not in it has no bundle any more.
 */
export type BundleMap = ReadonlyMap<TrustDomain, Bundle>;

const maxCharacters = 16 * 1024 * 1024;
const maxTrustDomains = 1000;

/** Writes a SPIFFE Bundle Map (§5.1.1). Its bundles say nothing about refreshing: it is the whole map that is refreshed. */
export function bundleMapToJson(bundles: Iterable<Bundle>): string {
  const members = [...bundles].map((bundle) => {
    // Without its line break.
    const jwks = bundleToJwks({ ...bundle, refreshHint: 0 }).trimEnd();
    return `${JSON.stringify(bundle.trustDomain)}:${jwks}`;
  });
  return `{"trust_domains":{${members.join(',')}}}\n`;
}

/**
 * Reads a SPIFFE Bundle Map, whole or not at all: anything broken in one bundle, a name that is no trust domain's or one that
 * stands twice refuses all of it, so that the last good one stays. Refresh hints of single bundles are no matter.
 * Throws IDN0102 to IDN0104, IDN0201, IDN0302, IDN0303, IDN0304.
 */
export function bundleMapFromJson(text: string): BundleMap {
  if (text.length > maxCharacters) throw fault('IDN0304', { limit: `${maxCharacters} characters` });
  const map = parsedJson(text);
  const members = map instanceof Map ? map.get('trust_domains') : undefined;
  if (!(members instanceof Map)) throw fault('IDN0303', { problem: '`trust_domains` is not an object' });
  if (members.size > maxTrustDomains) throw fault('IDN0304', { limit: `${maxTrustDomains} trust domains` });
  const bundles = [...members].map(([name, json]) => {
    const trustDomain = parseTrustDomain(name);
    return [trustDomain, { ...bundleFromJson(trustDomain, json), refreshHint: 0 }] as const;
  });
  return new Map(bundles);
}
