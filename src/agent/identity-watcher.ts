import type { IdentityWatcher } from '../sds/secret-source.js';
import type { Identities } from './identities.js';

/** The agent's identities, as the secret source watches them. */
export function identityWatcher(identities: Identities): IdentityWatcher {
  return {
    watch(workload, changed) {
      const stop = identities.onChange(changed);
      return { current: () => identities.identitiesOf(workload), close: stop };
    },
  };
}
