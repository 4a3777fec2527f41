import { contentVersion } from '../base/digest.js';
import type { Bundle } from '../spiffe/bundle.js';
import type { TrustDomain } from '../spiffe/id.js';
import type { BundleSource } from '../spiffe/source.js';
import type { VerifiedPeer } from '../transport/verified-peer.js';
import { encodeAny, typeUrlOf } from '../wire/messages.js';
import type { EncodedResource } from '../wire/resource.js';
import type { ResourceSource } from '../xds/source.js';
import { bundleMessage } from './api/messages.js';
import type { AuthorisedWatch, Touched } from './authorised-watch.js';
import type { Registry } from './registry.js';

const bundleType = 'spire.api.types.Bundle';
export const bundleTypeUrl = typeUrlOf(bundleType);

export interface BundleSourceOptions {
  readonly trustDomain: TrustDomain;
  readonly registry: Registry;
  readonly watch: AuthorisedWatch;
  /** Of our own trust domain and of others. */
  readonly bundles: BundleSource;
}

/**
 * Trust bundles as an xDS source, under the names of their trust domains: each agent has that of its own trust domain and those
 * of the trust domains that its entries federate with, as far as they are known.
 */
export function bundleSource(options: BundleSourceOptions): ResourceSource<VerifiedPeer> {
  const { trustDomain, registry, watch, bundles } = options;
  const wantedBy = (agent: VerifiedPeer): Set<TrustDomain> => {
    if (!registry.agent(agent.id)) return new Set();
    const wanted = new Set([trustDomain]);
    for (const { federatesWith } of registry.authorisedEntries(agent.id).values()) {
      for (const foreign of federatesWith) wanted.add(foreign);
    }
    return wanted;
  };
  return {
    typeUrl: bundleTypeUrl,
    open(agent, changed) {
      let wanted = wantedBy(agent);
      const stopWatching = watch.watch(agent.id, (touched) => {
        if (!concernsFederation(touched)) return;
        wanted = wantedBy(agent);
        changed();
      });
      const stopListening = bundles.onChange(changed);
      const resource = (name: TrustDomain) => {
        const bundle = bundles.bundle(name);
        return bundle && resourceOf(bundle);
      };
      return {
        all: () => [...wanted].flatMap((name) => resource(name) ?? []),
        resource: (asked) => {
          // A name that is not among them need not be one at all.
          const name = asked as TrustDomain;
          return (wanted.has(name) && resource(name)) || 'absent';
        },
        close() {
          stopWatching();
          stopListening();
        },
      };
    },
  };
}

function concernsFederation(touched: Touched): boolean {
  if (touched === 'any') return true;
  return touched.some(
    ({ before, after }) => (before?.federatesWith.length ?? 0) + (after?.federatesWith.length ?? 0) > 0,
  );
}

const resources = new WeakMap<Bundle, EncodedResource>();

function resourceOf(bundle: Bundle): EncodedResource {
  const known = resources.get(bundle);
  if (known) return known;
  const any = encodeAny(bundleType, bundleMessage(bundle));
  const made = { name: bundle.trustDomain, version: contentVersion(any), any };
  resources.set(bundle, made);
  return made;
}
