import type { Clock } from '../base/clock.js';
import type { WorkloadViews } from '../workload-api/view.js';
import type { Identities } from './identities.js';
import { federatedBundles } from './snapshot.js';

/** The agent's identities, as the Workload API looks at them. */
export function workloadViews(identities: Identities, clock: Clock): WorkloadViews {
  return {
    of(workload) {
      const [known, entries] = [identities.current(), identities.entriesOf(workload)];
      if (!known || entries === 'unknown') return 'unknown';
      const { svids, bundle } = known;
      const now = clock.now();
      return {
        identities: entries.map(({ id: entryId, spiffeId: id, hint }) => {
          const svid = svids.get(entryId);
          return { entryId, id, hint, svid: svid && svid.notAfter > now ? svid : undefined };
        }),
        bundle,
        federated: federatedBundles(entries, known),
      };
    },
    onChange: identities.onChange,
  };
}
