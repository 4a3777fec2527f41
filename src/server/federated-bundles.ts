import { createListeners } from '../base/listeners.js';
import type { Bundle } from '../spiffe/bundle.js';
import type { TrustDomain } from '../spiffe/id.js';
import type { BundleSource } from '../spiffe/source.js';
import { orderedMap } from './ordered-map.js';
import type { ServerStore } from './ports.js';
import type { Registry } from './registry.js';

/** The bundles of other trust domains; written to the store first, read from memory. */
export interface FederatedBundles
  extends BundleSource,
    Pick<ServerStore, 'writeFederatedBundles' | 'deleteFederatedBundles'> {
  all(): Iterable<Bundle>;
  /** In the order of their trust domains, from the one after `trustDomain` on. */
  after(trustDomain: string): Iterable<Bundle>;
  /** Shows what became of bundles in the store, by another server. */
  takeOver(written: readonly Bundle[], deleted: readonly TrustDomain[]): void;
}

export async function openFederatedBundles(
  store: Pick<ServerStore, 'federatedBundles' | 'writeFederatedBundles' | 'deleteFederatedBundles'>,
  registry: Pick<Registry, 'takeOver'>,
): Promise<FederatedBundles> {
  const stored = await store.federatedBundles();
  const bundles = orderedMap(stored.map((bundle) => [bundle.trustDomain, bundle] as const));
  const { onChange, tell: changed } = createListeners();
  return {
    bundle: (trustDomain) => bundles.get(trustDomain),
    all: bundles.values,
    after: bundles.after,
    onChange,
    takeOver: (written, deleted) => {
      for (const bundle of written) bundles.set(bundle.trustDomain, bundle);
      for (const trustDomain of deleted) bundles.delete(trustDomain);
      changed();
    },
    writeFederatedBundles: async (writes) => {
      const outcomes = await store.writeFederatedBundles(writes);
      for (const outcome of outcomes) {
        if (outcome.kind === 'written') bundles.set(outcome.bundle.trustDomain, outcome.bundle);
      }
      changed();
      return outcomes;
    },
    deleteFederatedBundles: async (trustDomains, mode) => {
      const deletions = await store.deleteFederatedBundles(trustDomains, mode);
      for (const [index, deletion] of deletions.entries()) {
        if (deletion.kind !== 'deleted') continue;
        bundles.delete(trustDomains[index] ?? '');
        registry.takeOver(deletion.changedEntries, deletion.deletedEntries);
      }
      changed();
      return deletions;
    },
  };
}

/** The bundles of all trust domains that the server knows, its own first. */
export function everyBundle(own: BundleSource, federated: BundleSource): BundleSource {
  return {
    bundle: (trustDomain) => own.bundle(trustDomain) ?? federated.bundle(trustDomain),
    onChange: (listener) => {
      const stops = [own.onChange(listener), federated.onChange(listener)];
      return () => {
        for (const stop of stops) stop();
      };
    },
  };
}
